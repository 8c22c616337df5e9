#include "intake/store/start_up.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/file.hpp"
#include "support/proves.hpp"
#include "support/temporary_directory.hpp"

namespace mitral::intake {
namespace {

AdapterSettings settings_in(const test::TemporaryDirectory& directory) {
    AdapterSettings settings;
    settings.spool.directory = directory.path("spool");
    settings.spool.acknowledgement_directory = directory.path("uplink");
    return settings;
}

TEST(StartUp, MakesTheSpoolForItsWriterAndItsReaders) {
    MITRAL_PROVES("T-DATA-02");
    const test::TemporaryDirectory directory;
    auto settings = settings_in(directory);
    ASSERT_TRUE(prepare_spool(settings));
    ASSERT_TRUE(prepare_spool(settings));  // and leaves the one there is
    struct stat made{};
    ASSERT_EQ(::stat(settings.spool.directory.c_str(), &made), 0);
    EXPECT_EQ(made.st_mode & 0777, 0750U);
    EXPECT_EQ(settings.spool.group_id, spool::WriterOptions().group_id);
    settings.reader_group = "no-such-group-of-mitral";
    EXPECT_FALSE(prepare_spool(settings));
}

TEST(StartUp, TheCageHoldsTheSpoolAndTheStatusFileOnly) {
    MITRAL_PROVES("T-SW-06", "T-WAY-02");
    const test::TemporaryDirectory directory;
    auto settings = settings_in(directory);
    settings.user = "somebody";
    settings.reader_group = "readers";
    settings.status = "/run/mitral/intake-x/intake-x.json";
    auto policy = sandbox_policy(settings);
    EXPECT_EQ(policy.user, "somebody");
    EXPECT_EQ(policy.supplementary_groups, std::vector<std::string>{"readers"});
    EXPECT_EQ(policy.writable,
              (std::vector<std::string>{settings.spool.directory, "/run/mitral/intake-x"}));
    EXPECT_TRUE(policy.readable.empty());  // the uplink has made no positions yet
    EXPECT_FALSE(policy.internet);
    EXPECT_TRUE(policy.tcp_connect.empty());
    ASSERT_TRUE(base::make_directory(settings.spool.acknowledgement_directory, 0750));
    settings.status = "status.json";
    policy = sandbox_policy(settings);
    EXPECT_EQ(policy.readable, std::vector<std::string>{settings.spool.acknowledgement_directory});
    EXPECT_EQ(policy.writable, (std::vector<std::string>{settings.spool.directory, "."}));
}

TEST(StartUp, EveryKindOfAdapterHasPlacesOfItsOwn) {
    auto config = base::Config::parse("[intake-x]\nbatch_kb = 5\ncommit_ms = 7", "test.toml");
    ASSERT_TRUE(config);
    auto table = config->table("intake-x");
    const auto settings = read_adapter_settings(table, "x");
    ASSERT_TRUE(table.finish());
    EXPECT_EQ(settings.spool.directory, "/var/lib/mitral/spool/x");
    EXPECT_EQ(settings.status, "/run/mitral/intake-x/intake-x.json");
    EXPECT_EQ(settings.spool.batch_bytes, 5U * 1024);
    EXPECT_EQ(settings.commit_delay, base::Milliseconds(7));
}

}  // namespace
}  // namespace mitral::intake
