#include "base/config.hpp"

#include <gtest/gtest.h>

#include "base/errors.hpp"
#include "support/proves.hpp"
#include "support/result_matchers.hpp"

namespace mitral::base {
namespace {

using test::failed_with;
using test::ok;

Table table_of(const char* text) {
    return Config::parse(text, "mitral.toml")->table("uplink");
}

TEST(Config, ReadsValuesAndDefaults) {
    auto table =
        table_of("[uplink]\nhub_port = 8883\nroots = ['a', 'b']\nrenew_s = 60\non = true\n");
    EXPECT_EQ(table.integer("hub_port", 1, 1, 65535), 8883);
    EXPECT_EQ(table.texts("roots"), (std::vector<std::string>{"a", "b"}));
    EXPECT_EQ(table.seconds("renew_s", Seconds(1), Seconds(1), Seconds(100)), Seconds(60));
    EXPECT_TRUE(table.boolean("on", false));
    EXPECT_EQ(table.text("proxy", "none"), "none");
    EXPECT_TRUE(ok(table.finish()));
}

TEST(Config, NamesAnUnknownKeyAndItsLine) {
    MITRAL_PROVES("T-SW-07", "CR 3.5");
    auto table = table_of("[uplink]\nhub_port = 1\nhub_prot = 2\n");
    (void)table.integer("hub_port", 1, 1, 65535);
    const auto status = table.finish();
    ASSERT_TRUE(failed_with(status, BaseError::invalid_setting));
    EXPECT_EQ(status.error().context,
              "mitral.toml line 3: hub_prot in [uplink] is not a known setting; see "
              "docs/configuration.md");
}

TEST(Config, RefusesWrongTypesAndRanges) {
    MITRAL_PROVES("T-SW-07", "CR 3.5");
    const std::pair<const char*, const char*> cases[] = {
        {"[uplink]\nport = '8883'", "whole number"}, {"[uplink]\nport = 0", "between 1 and 65535"},
        {"[uplink]\nport = 8883.0", "whole number"}, {"[uplink]\nport = 99999999999", "between"},
        {"uplink = 3", "must be a table"},
    };
    for (const auto& [text, expected] : cases) {
        auto table = table_of(text);
        (void)table.integer("port", 8883, 1, 65535);
        const auto status = table.finish();
        ASSERT_TRUE(failed_with(status, BaseError::invalid_setting)) << text;
        EXPECT_NE(status.error().context.find(expected), std::string::npos)
            << status.error().context;
    }
}

TEST(Config, SaysWhatIsMissing) {
    auto table = table_of("");
    EXPECT_EQ(table.required_text("vault"), "");
    EXPECT_TRUE(failed_with(table.finish(), BaseError::invalid_setting));
}

TEST(Config, ReadsTablesInside) {
    auto table = table_of("[[uplink.peer]]\nuser = 'a'\n[[uplink.peer]]\nuser = 'b'\nmay = 3\n");
    auto peers = table.tables("peer");
    ASSERT_EQ(peers.size(), 2U);
    EXPECT_EQ(peers[0].text("user", ""), "a");
    EXPECT_TRUE(ok(peers[0].finish()));
    EXPECT_EQ(peers[1].text("user", ""), "b");
    EXPECT_TRUE(failed_with(peers[1].finish(), BaseError::invalid_setting));
}

TEST(Config, ReadsATextMap) {
    auto table = table_of("[uplink]\nbeds = { 'ICU^^7' = 'icu-7', b = 'c' }\n");
    EXPECT_EQ(table.text_map("beds"),
              (std::map<std::string, std::string, std::less<>>{{"ICU^^7", "icu-7"}, {"b", "c"}}));
    EXPECT_TRUE(table.text_map("none").empty());
    EXPECT_TRUE(ok(table.finish()));

    for (const auto* wrong : {"[uplink]\nbeds = { a = 1 }\n", "[uplink]\nbeds = ['a']\n"}) {
        auto other = table_of(wrong);
        (void)other.text_map("beds");
        const auto status = other.finish();
        ASSERT_TRUE(failed_with(status, BaseError::invalid_setting));
        EXPECT_EQ(status.error().context,
                  "mitral.toml line 2: beds in [uplink] must be a table of texts");
    }
}

TEST(Config, ReportsWhatARoomFindsWrongWithItsLine) {
    auto table = table_of("[uplink]\n\nlead = 'III'\n");
    (void)table.text("lead", "");
    table.reject("lead", "is not a lead");
    EXPECT_EQ(table.finish().error().context, "mitral.toml line 3: lead in [uplink] is not a lead");
}

TEST(Config, ReportsSyntaxWithItsPlace) {
    const auto config = Config::parse("[uplink\n", "mitral.toml");
    ASSERT_TRUE(failed_with(config, BaseError::invalid_setting));
    EXPECT_TRUE(config.error().context.starts_with("mitral.toml line ")) << config.error().context;
}

// toml++ is not to see a character beyond ASCII: where it looks for white space it trips over one.
TEST(Config, RefusesStrayCharactersBeyondAscii) {
    MITRAL_PROVES("T-SW-01");
    for (const char* stray :
         {"[uplink]\nport = -ʚ-3\n", "[uplink]\nü = 1\n", "[uplink]\nport = 1 ü\n", "[üplink]\n",
          "[uplink]\nt = 'a' ü\n", "[uplink]\nt = \"\"\"a\\\nü\"\"\"\n",
          "[uplink]\nt = \"\"\"\"\\ü\"\"\"\n", "[uplink]\nt = \"\"\"a\"\"\"\"\" ü\n",
          "[uplink]\nt = '''\n' ü'''\n", "# ü\n", "[uplink]\nt = 'ü'\n"}) {
        const auto config = Config::parse(stray, "mitral.toml");
        ASSERT_TRUE(failed_with(config, BaseError::invalid_setting)) << stray;
        EXPECT_NE(config.error().message().find("beyond ASCII"), std::string::npos) << stray;
    }
    EXPECT_NE(Config::parse("[a]\nx = 1\ny = ü", "mitral.toml").error().message().find("line 3"),
              std::string::npos);
}

TEST(Config, ReadsTablesAtTheTopOfTheFile) {
    const auto config = Config::parse("[[bed]]\nname = \"a\"\n[[bed]]\nname = 7\n", "plan.toml");
    ASSERT_TRUE(config);
    auto beds = config->tables("bed");
    ASSERT_EQ(beds.size(), 2U);
    EXPECT_EQ(beds[0].text("name", ""), "a");
    EXPECT_TRUE(beds[0].finish());
    EXPECT_EQ(beds[1].text("name", ""), "");
    const auto refused = beds[1].finish();
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().context.find("plan.toml line 4: name in [bed]"), std::string::npos)
        << refused.error().context;
    EXPECT_TRUE(config->tables("ward").empty());
}

TEST(Config, RefusesControlCharacters) {
    MITRAL_PROVES("T-SW-01");
    using namespace std::string_view_literals;
    for (const auto text : {"[\0\x1e]\n"sv, "[a]\nx = 'a\x7f'\n"sv, "# \x1b[2J\n"sv, "\0"sv}) {
        const auto config = Config::parse(text, "mitral.toml");
        ASSERT_TRUE(failed_with(config, BaseError::invalid_setting));
        EXPECT_NE(config.error().message().find("control character"), std::string::npos);
    }
    EXPECT_TRUE(ok(Config::parse("[a]\r\nx =\t1\r\n", "mitral.toml")));
}

TEST(Config, RefusesAHeadingThatIsNone) {
    MITRAL_PROVES("T-SW-01");
    for (const char* heading : {"[,-v", "[=]", "[[,]]", "[]", "["})
        EXPECT_TRUE(failed_with(Config::parse(heading, "mitral.toml"), BaseError::invalid_setting));
}

TEST(Config, RefusesAMissingFile) {
    EXPECT_TRUE(failed_with(Config::load("/nonexistent/mitral.toml"),
                            std::errc::no_such_file_or_directory));
}

}  // namespace
}  // namespace mitral::base
