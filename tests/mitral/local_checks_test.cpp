#include "mitral/local_checks.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <cstdlib>
#include <utility>

#include "base/file.hpp"
#include "support/proves.hpp"
#include "support/result_matchers.hpp"
#include "support/temporary_directory.hpp"

namespace mitral::cli {
namespace {

using test::ok;

TEST(ClockCheck, AnImplausibleClockFailsAFreeRunningOneWarns) {
    MITRAL_PROVES("T-TIME-01");
    base::ManualClock clock{base::WallTime{1'767'225'600'000}};
    EXPECT_EQ(Verdict::ok, check_clock(clock).verdict);
    clock.set_state(base::ClockState::free_running);
    EXPECT_EQ(Verdict::warning, check_clock(clock).verdict);
    clock.set_state(base::ClockState::implausible);
    EXPECT_EQ(Verdict::failed, check_clock(clock).verdict);
}

class LocalFiles : public ::testing::Test {
  protected:
    void SetUp() override {
        ASSERT_TRUE(ok(base::replace_file(config, base::as_bytes(""), 0644)));
        ASSERT_EQ(0, ::mkdir(state.c_str(), 0700));
        settings.vault.emplace();
        settings.vault->state = state;
    }
    test::TemporaryDirectory directory;
    std::string config = directory.path("mitral.toml");
    std::string state = directory.path("vault");
    UnitSettings settings;
};

TEST_F(LocalFiles, PrivateStateIsGoodOpenStateIsNot) {
    EXPECT_EQ(Verdict::ok, check_permissions(settings, config).verdict);
    for (const mode_t mode : {0750U, 0701U, 0777U}) {
        ASSERT_EQ(0, ::chmod(state.c_str(), mode));
        const auto finding = check_permissions(settings, config);
        EXPECT_EQ(Verdict::failed, finding.verdict);
        EXPECT_THAT(finding.remedy, testing::HasSubstr("chmod"));
    }
}

// Whatever is wrong with a mode: the remedy, typed as it stands, ends the complaint.
TEST_F(LocalFiles, FollowingTheRemedyHelps) {
    const auto spool = directory.path("spool");
    ASSERT_EQ(0, ::mkdir(spool.c_str(), 0700));
    auto& intake = settings.intakes.emplace_back(Intake{"intake-lines", {}}).settings;
    intake.spool.directory = spool;
    settings.uplink.emplace().state = spool;
    settings.uplink->user.clear();
    const std::pair<std::string, mode_t> breaks[] = {{spool, 0755},  {spool, 0775}, {spool, 0701},
                                                     {spool, 0720},  {state, 0750}, {state, 0707},
                                                     {config, 0666}, {config, 0664}};
    for (const auto& [path, mode] : breaks) {
        ASSERT_EQ(Verdict::ok, check_permissions(settings, config).verdict);
        ASSERT_EQ(0, ::chmod(path.c_str(), mode));
        const auto finding = check_permissions(settings, config);
        EXPECT_EQ(Verdict::failed, finding.verdict) << path;
        ASSERT_THAT(finding.remedy, testing::StartsWith("chmod "));
        ASSERT_EQ(0, std::system(finding.remedy.c_str()));  // NOLINT(cert-env33-c)
        const auto after = check_permissions(settings, config);
        EXPECT_EQ(Verdict::ok, after.verdict) << finding.remedy << ": " << after.text;
    }
    struct stat status{};
    ASSERT_EQ(0, ::stat(config.c_str(), &status));
    EXPECT_EQ(0644U, status.st_mode & 0777U);  // and takes no more away than it has to
}

TEST_F(LocalFiles, ATrustBundleAndItsKeyBelongToRootAlone) {
    MITRAL_PROVES("T-MITM-01");
    auto& trust = settings.enrol.emplace().trust;
    settings.enrol->user.clear();
    settings.enrol->assignment_file = directory.path("assignment.json");
    trust.bundle_file = directory.path("bundle");
    trust.bundle_key_file = directory.path("bundle.pub");
    EXPECT_THAT(check_permissions(settings, config).text, testing::HasSubstr("bundle.pub"));
    for (const auto& file : {trust.bundle_key_file, trust.bundle_file}) {
        ASSERT_TRUE(ok(base::replace_file(file, base::as_bytes(""), 0644)));
        EXPECT_EQ(Verdict::ok, check_permissions(settings, config).verdict);
        ASSERT_EQ(0, ::chmod(file.c_str(), 0666));
        EXPECT_THAT(check_permissions(settings, config).text, testing::HasSubstr(file));
        ASSERT_EQ(0, ::chmod(file.c_str(), 0644));
    }
}

TEST_F(LocalFiles, ForeignOwnersWritableConfigurationsAndMissingPathsAreNamed) {
    settings.vault->user = "65533";
    EXPECT_THAT(check_permissions(settings, config).text, testing::HasSubstr("not to 65533"));
    settings.vault->user = "no-such-user-here";
    EXPECT_THAT(check_permissions(settings, config).text, testing::HasSubstr("does not exist"));
    settings.vault->user.clear();
    ASSERT_EQ(0, ::chmod(config.c_str(), 0666));
    EXPECT_EQ(Verdict::failed, check_permissions(settings, config).verdict);
    EXPECT_EQ(Verdict::failed, check_permissions(settings, directory.path("missing")).verdict);
}

TEST_F(LocalFiles, ABoundBeyondTheDiskIsFound) {
    MITRAL_PROVES("T-DOS-02");
    auto& intake = settings.intakes.emplace_back(Intake{"intake-hl7", {}}).settings;
    intake.spool.directory = directory.path();
    intake.spool.max_bytes = 1024;
    EXPECT_EQ(Verdict::ok, check_disk(settings).verdict);
    intake.spool.max_bytes = 1ULL << 60;
    const auto finding = check_disk(settings);
    EXPECT_EQ(Verdict::failed, finding.verdict);
    EXPECT_THAT(finding.remedy, testing::HasSubstr("max_bytes_mb in [intake-hl7]"));
    intake.spool.directory = directory.path("missing");
    EXPECT_EQ(Verdict::failed, check_disk(settings).verdict);
}

TEST_F(LocalFiles, CountsTheBytesOfLanes) {
    const auto before = bytes_below(directory.path());
    const base::Bytes content(100'000, 7);
    ASSERT_TRUE(ok(base::replace_file(directory.path("vault/segment"), content, 0600)));
    EXPECT_GE(bytes_below(directory.path()), before + content.size());
}

// Each alone would fit; the disk must hold both.
TEST_F(LocalFiles, SpoolsShareADisk) {
    MITRAL_PROVES("T-DOS-02");
    struct statvfs disk{};
    ASSERT_EQ(0, ::statvfs(directory.path().c_str(), &disk));
    const std::uint64_t most = disk.f_bavail * disk.f_frsize / 3 * 2;
    if (most < 64 * 1024 * 1024)
        GTEST_SKIP() << "the disk is nearly full";
    for (const char* kind : {"intake-lines", "intake-hl7"}) {
        auto& spool = settings.intakes.emplace_back(Intake{kind, {}}).settings.spool;
        spool.directory = directory.path();
        spool.max_bytes = most;
        EXPECT_EQ(check_disk(settings).verdict,
                  settings.intakes.size() == 1 ? Verdict::ok : Verdict::failed);
    }
    EXPECT_THAT(check_disk(settings).text, testing::HasSubstr("other spools may take"));
}

}  // namespace
}  // namespace mitral::cli
