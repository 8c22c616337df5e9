#include "intake/lines/settings.hpp"

#include <gtest/gtest.h>

#include "support/proves.hpp"

namespace mitral::intake {
namespace {

base::Result<Settings> read(std::string_view text) {
    const auto config = base::Config::parse(text, "test.toml");
    if (!config)
        return std::unexpected(config.error());
    return read_settings(*config);
}

TEST(Settings, HaveDocumentedDefaults) {
    const auto settings = read("");
    ASSERT_TRUE(settings) << settings.error().message();
    EXPECT_EQ(settings->socket, "/run/mitral/intake-lines/intake-lines.sock");
    EXPECT_EQ(settings->spool.directory, "/var/lib/mitral/spool/lines");
    EXPECT_EQ(settings->spool.acknowledgement_directory, "/var/lib/mitral/uplink");
    EXPECT_EQ(settings->spool.max_bytes, 1ULL << 30);
    EXPECT_EQ(settings->spool.batch_interval, base::Milliseconds(10'000));
    EXPECT_EQ(settings->spool.batch_bytes, 192U * 1024);
    EXPECT_EQ(settings->limits.connections, 64U);
    EXPECT_EQ(settings->limits.group.delay, base::Milliseconds(0));
}

TEST(Settings, ReadEachKey) {
    const auto settings = read(R"([intake-lines]
        socket = "/s"
        socket_group = "adapters"
        vault = "/v"
        status = ""
        user = "mitral-intake"
        reader_group = "mitral-uplink"
        spool = "/d"
        acknowledgements = "/a"
        max_bytes_mb = 2
        segment_mb = 3
        batch_interval_s = 4
        batch_kb = 5
        connections = 6
        commit_ms = 7
        header_s = 8
        line_s = 9
    )");
    ASSERT_TRUE(settings) << settings.error().message();
    EXPECT_EQ(settings->socket_group, "adapters");
    EXPECT_EQ(settings->status, "");
    EXPECT_EQ(settings->spool.max_bytes, 2U << 20);
    EXPECT_EQ(settings->spool.segment_bytes, 3U << 20);
    EXPECT_EQ(settings->spool.batch_interval, base::Milliseconds(4000));
    EXPECT_EQ(settings->spool.batch_bytes, 5U * 1024);
    EXPECT_EQ(settings->limits.connections, 6U);
    EXPECT_EQ(settings->limits.group.delay, base::Milliseconds(7));
    EXPECT_EQ(settings->limits.header_wait, base::Milliseconds(8000));
    EXPECT_EQ(settings->limits.line_wait, base::Milliseconds(9000));
}

TEST(Settings, RefuseWhatTheyDoNotKnow) {
    MITRAL_PROVES("T-SW-07");
    for (const char* wrong : {"sockett = \"/s\"", "connections = 0", "connections = \"many\"",
                              "batch_kb = 241", "commit_ms = -1", "max_bytes_mb = 1.5"})
        EXPECT_FALSE(read(std::string("[intake-lines]\n") + wrong)) << wrong;
}

}  // namespace
}  // namespace mitral::intake
