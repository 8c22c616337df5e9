// What an exploited process can reach on the disk: its own room and nothing else.
#include <dirent.h>
#include <fcntl.h>
#include <linux/random.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "base/landlock.hpp"
#include "sandbox/cage.hpp"
#include "support/proves.hpp"

namespace mitral::test {
namespace {

int open_and_close(const std::string& path, int flags, mode_t mode = 0600) {
    const int fd = open(path.c_str(), flags | O_CLOEXEC, mode);
    if (fd < 0)
        return errno;
    close(fd);
    return 0;
}

class SandboxFiles : public CageTest {
  protected:
    void expect_only_outside(const Attempt& attempt) {
        EXPECT_TRUE(attempt_in(room(), attempt).refused());
        const auto control = attempt_outside(attempt);
        EXPECT_TRUE(control.succeeded()) << "control: " << control;
    }
};

TEST_F(SandboxFiles, own_state_can_be_read_written_and_renamed) {
    const auto outcome = attempt_in(room(), [&] {
        if (const int error = open_and_close(own("state"), O_RDWR); error != 0)
            return error;
        if (const int error = open_and_close(own("new"), O_WRONLY | O_CREAT | O_EXCL); error != 0)
            return error;
        if (rename(own("new").c_str(), own("kept").c_str()) != 0)
            return errno;
        if (mkdir(own("sub").c_str(), 0700) != 0)
            return errno;
        // Across directories: the right `refer` of Landlock's second version.
        if (rename(own("kept").c_str(), own("sub/kept").c_str()) != 0)
            return errno;
        return error_of(unlink(own("sub/kept").c_str()));
    });
    EXPECT_TRUE(outcome.succeeded()) << outcome;
}

TEST_F(SandboxFiles, a_device_is_asked_what_it_may_be_and_nothing_else) {
    MITRAL_PROVES("T-SW-06", "R65");
    const auto asks = [](unsigned long request) {
        return [request] {
            const int fd = open("/dev/urandom", O_RDWR | O_CLOEXEC);
            int answer = 0;
            const int error = fd < 0 ? errno : error_of(ioctl(fd, request, &answer));
            close(fd);
            return error;
        };
    };
    auto policy = room();
    EXPECT_TRUE(attempt_in(policy, asks(RNDGETENTCNT)).refused());  // a node that was not given
    policy.devices = {{"/dev/urandom", {RNDGETENTCNT}}};
    const auto listed = attempt_in(policy, asks(RNDGETENTCNT));
    EXPECT_TRUE(listed.succeeded()) << listed;
    policy.devices = {{"/dev/urandom", {RNDZAPENTCNT}}};
    EXPECT_TRUE(attempt_in(policy, asks(RNDGETENTCNT)).refused());
    EXPECT_TRUE(attempt_outside(asks(RNDGETENTCNT)).succeeded());
}

TEST_F(SandboxFiles, state_of_another_room_cannot_be_read) {
    MITRAL_PROVES("T-SW-06", "CR 2.1", "PS-05", "R64", "R65");
    expect_only_outside([&] { return open_and_close(foreign("secret"), O_RDONLY); });
}

TEST_F(SandboxFiles, another_room_cannot_be_listed) {
    MITRAL_PROVES("T-SW-06", "R65");
    expect_only_outside([&] { return open_and_close(foreign(), O_RDONLY | O_DIRECTORY); });
}

TEST_F(SandboxFiles, the_detour_over_proc_self_root_is_closed) {
    MITRAL_PROVES("T-SW-06");
    expect_only_outside(
        [&] { return open_and_close("/proc/self/root" + foreign("secret"), O_RDONLY); });
}

TEST_F(SandboxFiles, a_link_in_the_own_room_does_not_lead_out) {
    MITRAL_PROVES("T-SW-06");
    ASSERT_EQ(symlink(foreign("secret").c_str(), own("way-out").c_str()), 0);
    expect_only_outside([&] { return open_and_close(own("way-out"), O_RDONLY); });
}

TEST_F(SandboxFiles, a_foreign_file_cannot_be_linked_or_moved_in) {
    MITRAL_PROVES("T-SW-06");
    EXPECT_TRUE(attempt_in(room(), [&] {
                    return error_of(link(foreign("secret").c_str(), own("mine").c_str()));
                }).refused());
    expect_only_outside(
        [&] { return error_of(rename(foreign("secret").c_str(), own("mine").c_str())); });
}

TEST_F(SandboxFiles, nothing_can_be_written_or_removed_outside) {
    MITRAL_PROVES("T-SW-06", "CR 2.1", "R64");
    expect_only_outside([&] { return open_and_close(foreign("secret"), O_WRONLY); });
    expect_only_outside([&] { return open_and_close(foreign("dropped"), O_WRONLY | O_CREAT); });
    expect_only_outside([&] { return error_of(mkdir(foreign("directory").c_str(), 0700)); });
    expect_only_outside([&] { return error_of(unlink(foreign("dropped").c_str())); });
}

TEST_F(SandboxFiles, a_foreign_file_cannot_be_truncated) {
    MITRAL_PROVES("T-SW-06", "T-DATA-02");
    const auto abi = base::landlock_abi();
    ASSERT_TRUE(abi);
    if (*abi < 3)
        GTEST_SKIP()
            << "truncate(2) is guarded from Landlock version 3 on; file modes guard it here";
    expect_only_outside([&] { return error_of(truncate(foreign("secret").c_str(), 0)); });
}

TEST_F(SandboxFiles, readable_paths_are_not_writable) {
    MITRAL_PROVES("T-SW-06");
    auto policy = room();
    policy.readable = {foreign()};
    EXPECT_TRUE(attempt_in(policy, [&] {
                    return open_and_close(foreign("secret"), O_RDONLY);
                }).succeeded());
    EXPECT_TRUE(
        attempt_in(policy, [&] { return open_and_close(foreign("secret"), O_WRONLY); }).refused());
}

TEST_F(SandboxFiles, the_password_file_is_closed_even_to_a_process_that_stays_root) {
    MITRAL_PROVES("T-SW-06", "CR 2.1", "R64");
    if (!is_root())
        GTEST_SKIP() << "needs root";
    auto policy = room();
    policy.user.clear();
    const auto read_shadow = [] { return open_and_close("/etc/shadow", O_RDONLY); };
    EXPECT_TRUE(attempt_in(policy, read_shadow).refused());
    EXPECT_TRUE(attempt_outside(read_shadow).succeeded());
}

TEST_F(SandboxFiles, device_nodes_cannot_be_made) {
    MITRAL_PROVES("T-SW-06");
    if (!is_root())
        GTEST_SKIP() << "needs root";
    expect_only_outside(
        [&] { return error_of(mknod(own("memory").c_str(), S_IFCHR | 0600, makedev(1, 1))); });
}

TEST_F(SandboxFiles, a_missing_path_is_an_error_not_a_surprise_later) {
    auto policy = room();
    policy.readable = {own("misspelt")};
    EXPECT_FALSE(attempt_in(policy, [] { return 0; }).entered);
}

}  // namespace
}  // namespace mitral::test
