#include "mitral/settings.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/proves.hpp"
#include "support/result_matchers.hpp"

namespace mitral::cli {
namespace {

using test::ok;

base::Result<UnitSettings> read(std::string_view text) {
    MITRAL_TRY(const auto config, base::Config::parse(text, "test.toml"));
    return read_unit_settings(config);
}

TEST(UnitSettings, ReadsTheTablesThatAreThere) {
    const auto settings = read("[intake-lines]\nvault = \"/x/vault.sock\"\n");
    ASSERT_TRUE(ok(settings));
    ASSERT_EQ(settings->intakes.size(), 1U);
    EXPECT_EQ(settings->intakes[0].table, "intake-lines");
    EXPECT_FALSE(settings->uplink);
    EXPECT_EQ("/x/vault.sock", vault_socket_of(*settings));
    EXPECT_EQ("/run/mitral/vault/vault.sock", vault_socket_of(UnitSettings{}));
}

constexpr std::string_view hl7 =
    "[intake-hl7]\nvault = \"/y/vault.sock\"\n[[intake-hl7.listen]]\naddress = \"127.0.0.1:2575\"\n"
    "[[intake-hl7.monitor]]\nsource = \"icu-1\"\naddress = \"10.1.2.3\"\nzone = \"Europe/Paris\"\n";

TEST(UnitSettings, ReadsWhatTheIntakeForMonitorsReads) {
    MITRAL_PROVES("T-SW-07");
    const auto settings = read(std::string("[intake-lines]\n") + std::string(hl7));
    ASSERT_TRUE(ok(settings));
    ASSERT_EQ(settings->intakes.size(), 2U);
    EXPECT_EQ(settings->intakes[1].table, "intake-hl7");
    EXPECT_EQ(settings->intakes[1].settings.spool.directory, "/var/lib/mitral/spool/hl7");
    EXPECT_EQ("/y/vault.sock", vault_socket_of(*read(hl7)));
    for (const auto& [from, to] :
         {std::pair<std::string, std::string>{"Europe/Paris", "Europe/Pari"},
          {"source =", "sourse ="},
          {"10.1.2.3", "icu.example"}}) {
        std::string wrong(hl7);
        wrong.replace(wrong.find(from), from.size(), to);
        const auto refused = read(wrong);
        ASSERT_FALSE(refused) << to;
    }
}

TEST(UnitSettings, RefusesUnknownTablesAndKeys) {
    MITRAL_PROVES("T-SW-07");
    const auto table = read("[uplnk]\n");
    ASSERT_FALSE(table);
    EXPECT_THAT(table.error().message(), testing::HasSubstr("uplnk"));
    const auto key = read("[intake-lines]\nsockt = \"/x\"\n");
    ASSERT_FALSE(key);
    EXPECT_THAT(key.error().message(), testing::HasSubstr("sockt"));
    EXPECT_FALSE(read("vault = 7\n"));
}

}  // namespace
}  // namespace mitral::cli
