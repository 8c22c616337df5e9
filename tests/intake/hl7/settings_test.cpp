#include "intake/hl7/settings.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "intake/hl7/equipment.hpp"
#include "support/result_matchers.hpp"

namespace mitral::intake::hl7 {
namespace {

using ::testing::HasSubstr;

constexpr std::string_view listen = "[[intake-hl7.listen]]\naddress = \"127.0.0.1:2575\"\n";
constexpr std::string_view mutual =
    "[[intake-hl7.listen]]\naddress = \"127.0.0.1:2575\"\ncertificate = \"c\"\nkey = \"k\"\n"
    "client_roots = [\"r\"]\n";

base::Result<Settings> read(std::string_view text) {
    const auto config = base::Config::parse(text, "mitral.toml");
    return config ? read_settings(*config) : std::unexpected(config.error());
}
std::string trouble(std::string_view text) {
    const auto settings = read(text);
    return settings ? "none" : settings.error().message();
}
std::string entry(std::string_view lines) {
    return std::string(listen) + "[[intake-hl7.monitor]]\nsource = \"a\"\n" + std::string(lines);
}

TEST(Hl7Settings, HaveTheirDefaults) {
    const auto settings = read(entry("address = \"10.1.2.3\"\n"));
    ASSERT_TRUE(test::ok(settings));
    EXPECT_EQ(settings->adapter.spool.directory, "/var/lib/mitral/spool/hl7");
    EXPECT_EQ(settings->adapter.status, "/run/mitral/intake-hl7/intake-hl7.json");
    EXPECT_EQ(settings->limits.connections, 512U);
    EXPECT_EQ(settings->limits.frame_bytes, 4U << 20);
    EXPECT_EQ(settings->limits.messages_per_s, 50);
    EXPECT_FALSE(settings->pseudonyms);
    EXPECT_FALSE(settings->dials());
    EXPECT_EQ(settings->monitors[0].network->prefix(), 128);
}

TEST(Hl7Settings, AreRead) {
    const auto settings = read(
        "[intake-hl7]\nzone = \"Europe/Paris\"\nframe_kb = 64\npseudonyms = true\n" +
        std::string(mutual) +
        "[[intake-hl7.monitor]]\nsource = \"a\"\naddress = \"10.1.2.0/24\"\ncertificate = \"m1\"\n"
        "beds = { \"ICU^^7\" = \"icu-7\" }\n"
        "[[intake-hl7.monitor]]\nsource = \"b\"\ndial = \"10.1.2.3:4601\"\nquery = \"mindray\"\n"
        "query_s = 5\n");
    ASSERT_TRUE(test::ok(settings));
    EXPECT_EQ(settings->limits.frame_bytes, 64U * 1024);
    EXPECT_TRUE(settings->pseudonyms);
    EXPECT_EQ(settings->listeners[0].tls.client_roots, std::vector<std::string>{"r"});
    EXPECT_EQ(settings->monitors[0].beds.at("ICU^^7"), "icu-7");
    EXPECT_TRUE(settings->dials());
    EXPECT_EQ(settings->monitors[1].dial->port, 4601);
    EXPECT_EQ(settings->monitors[1].query_interval, base::Milliseconds(5000));
}

TEST(Hl7Settings, AMistakeIsOneLineThatNamesTheKey) {
    const std::pair<std::string, const char*> mistakes[] = {
        {"", "takes nothing in: add [[intake-hl7.listen]]"},
        {"[[intake-hl7.listen]]\naddress = \"gateway:2575\"\n", "address in [intake-hl7.listen]"},
        {std::string(listen) + "certificate = \"c\"\n",
         "certificate in [intake-hl7.listen] and key"},
        {std::string(listen) + "client_roots = [\"c\"]\n", "client_roots in"},
        {std::string(listen) + "minimum_tls = \"1.1\"\n", "minimum_tls in"},
        {entry(""), "cannot be told from others"},
        {entry("address = \"10.1.2.3/24\"\n"), "address in [intake-hl7.monitor]"},
        {entry("certificate = \"m1\"\n"), "no [[intake-hl7.listen]] has client_roots"},
        {entry("address = \"10.1.2.3\"\nbeds = { \"x\" = \"Bed 1\" }\n"), "beds in"},
        {entry("dial = \"10.1.2.3\"\n"), "dial in [intake-hl7.monitor]"},
        {entry("dial = \"10.1.2.3:1\"\nquery = \"x\"\n"), "query in"},
        {entry("address = \"10.1.2.3\"\nquery = \"mindray\"\n"), "dial in"},
        {entry("dial = \"10.1.2.3:1\"\ndial_name = \"m1\"\n"), "dial_name in"},
        {entry("dial = \"10.1.2.3:1\"\ndial_name = \"m1\"\ndial_roots = [\"r\"]\n"
               "dial_key = \"k\"\n"),
         "dial_certificate in [intake-hl7.monitor] and dial_key"},
        {entry("dial = \"10.1.2.3:1\"\ndial_certificate = \"c\"\ndial_key = \"k\"\n"), "needs TLS"},
        {entry("address = \"10.1.2.3\"\n[[intake-hl7.monitor]]\nsource = \"a\"\n"
               "address = \"10.1.2.4\"\n"),
         "is there twice"},
        {entry("address = \"10.1.2.3\"\n[[intake-hl7.monitor]]\nsource = \"b\"\n"
               "address = \"10.1.2.3\"\n"),
         "address and certificate of another monitor"},
        {entry("addres = \"10.1.2.3\"\n"), "addres"},
    };
    for (const auto& [text, what] : mistakes) {
        EXPECT_THAT(trouble(text), HasSubstr(what)) << text;
        EXPECT_EQ(trouble(text).find('\n'), std::string::npos);
    }
}

TEST(Hl7Equipment, SaysWhatIsNotThere) {
    const auto load = [](std::string_view lines) {
        const auto settings = read(entry(lines));
        EXPECT_TRUE(test::ok(settings));
        const auto loaded = Equipment::load(*settings);
        return loaded ? "none" : loaded.error().message();
    };
    EXPECT_EQ(load("address = \"10.1.2.3\"\nzone = \"Europe/Paris\"\n"), "none");
    EXPECT_THAT(load("address = \"10.1.2.3\"\nzone = \"Mars/Olympus\"\n"),
                HasSubstr("Mars/Olympus"));
    EXPECT_THAT(load("address = \"10.1.2.3\"\ndialect = \"acme\"\n"), HasSubstr("dialect"));
    const auto table = std::string(MITRAL_SOURCE_DIR) + "/share/codes/loinc-monitor.toml";
    const auto load_table = [&](const std::string& tables, const std::string& dialect) {
        const auto settings =
            read("[intake-hl7]\ncode_tables = [" + tables + "]\n" +
                 entry("address = \"10.1.2.3\"\ndialect = \"" + dialect + "\"\n"));
        EXPECT_TRUE(test::ok(settings));
        const auto loaded = Equipment::load(*settings);
        return loaded ? (*loaded)->monitors().all()[0].sender.dialect->name
                      : loaded.error().message();
    };
    const auto name = load_code_table(table).value().name;
    EXPECT_EQ(load_table('"' + table + '"', name), name);
    EXPECT_THAT(load_table('"' + table + "\", \"" + table + '"', name), HasSubstr("another of"));
    EXPECT_THAT(load_table("\"/absent.toml\"", name), HasSubstr("/absent.toml"));
    EXPECT_THAT(load("dial = \"10.1.2.3:1\"\ndial_name = \"m\"\ndial_roots = [\"/absent.pem\"]\n"),
                HasSubstr("/absent.pem"));
}

}  // namespace
}  // namespace mitral::intake::hl7
