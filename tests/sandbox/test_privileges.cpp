// No way back to root, and no call that only an attacker makes.
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <string>

#include "base/file.hpp"
#include "base/sanitizer.hpp"
#include "sandbox/cage.hpp"
#include "support/proves.hpp"

namespace mitral::test {
namespace {

// /proc/self/status as text; too_large never happens to a file without a size, so read it by hand.
std::string process_status() {
    std::string text(8192, '\0');
    const int fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
    const ssize_t count = read(fd, text.data(), text.size());
    close(fd);
    text.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
    return text;
}

bool has_line(const std::string& text, const std::string& line) {
    return text.find("\n" + line + "\n") != std::string::npos;
}

class SandboxPrivileges : public CageTest {};

TEST_F(SandboxPrivileges, every_capability_set_is_empty_afterwards) {
    MITRAL_PROVES("T-SW-06", "CR 2.1", "R64");
    if (!is_root())
        GTEST_SKIP() << "needs root";
    const auto attempt = [] {
        const auto status = process_status();
        for (const char* set : {"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"})
            if (!has_line(status, std::string(set) + ":\t0000000000000000"))
                return EPERM;
        return 0;
    };
    EXPECT_TRUE(attempt_in(room(), attempt).succeeded());
    auto stays_root = room();
    stays_root.user.clear();
    EXPECT_TRUE(attempt_in(stays_root, attempt).succeeded());
    EXPECT_TRUE(attempt_outside(attempt).refused());
}

TEST_F(SandboxPrivileges, no_new_privileges_and_the_filter_are_in_force) {
    MITRAL_PROVES("T-SW-06", "R64");
    const auto attempt = [] {
        const auto status = process_status();
        return has_line(status, "NoNewPrivs:\t1") && has_line(status, "Seccomp:\t2") ? 0 : EPERM;
    };
    EXPECT_TRUE(attempt_in(room(), attempt).succeeded());
    EXPECT_TRUE(attempt_outside(attempt).refused());
}

TEST_F(SandboxPrivileges, user_and_groups_change_completely) {
    MITRAL_PROVES("T-SW-06", "CR 2.1");
    if (!is_root())
        GTEST_SKIP() << "needs root";
    const auto outcome = attempt_in(room(), [] {
        uid_t a = 0, b = 0, c = 0;
        gid_t d = 0, e = 0, f = 0;
        getresuid(&a, &b, &c);
        getresgid(&d, &e, &f);
        const bool all = a != 0 && a == b && b == c && d != 0 && d == e && e == f;
        return all && getgroups(0, nullptr) == 0 ? 0 : EPERM;
    });
    EXPECT_TRUE(outcome.succeeded()) << outcome;
}

TEST_F(SandboxPrivileges, root_cannot_be_regained) {
    MITRAL_PROVES("T-SW-06", "CR 2.1", "PS-05");
    if (!is_root())
        GTEST_SKIP() << "needs root";
    for (const auto& attempt :
         {Attempt([] { return error_of(setuid(0)); }), Attempt([] { return error_of(seteuid(0)); }),
          Attempt([] { return error_of(setresgid(0, 0, 0)); })}) {
        EXPECT_TRUE(attempt_in(room(), attempt).refused());
        EXPECT_TRUE(attempt_outside(attempt).succeeded());
    }
}

TEST_F(SandboxPrivileges, an_unknown_user_is_an_error) {
    if (!is_root())
        GTEST_SKIP() << "needs root";
    auto policy = room();
    policy.user = "mitral-no-such-user";
    EXPECT_FALSE(attempt_in(policy, [] { return 0; }).entered);
}

TEST_F(SandboxPrivileges, calls_of_an_attacker_end_the_process) {
    MITRAL_PROVES("T-SW-06", "CR 2.1", "EDR 3.2", "R64");
    struct Call {
        const char* name;
        long number;
    };
    for (const auto& call :
         {Call{"mount", SYS_mount}, Call{"umount2", SYS_umount2},
          Call{"init_module", SYS_init_module}, Call{"finit_module", SYS_finit_module},
          Call{"delete_module", SYS_delete_module}, Call{"bpf", SYS_bpf},
          Call{"keyctl", SYS_keyctl}, Call{"kexec_load", SYS_kexec_load},
          Call{"unshare", SYS_unshare}, Call{"setns", SYS_setns}, Call{"chroot", SYS_chroot},
          Call{"pivot_root", SYS_pivot_root}, Call{"reboot", SYS_reboot},
          Call{"perf_event_open", SYS_perf_event_open}, Call{"userfaultfd", SYS_userfaultfd},
          Call{"io_uring_setup", 425}, Call{"clock_settime", SYS_clock_settime}}) {
        // Arguments that no kernel accepts: the control only shows that nothing else kills the
        // caller.
        const auto attempt = [&] {
            return error_of(syscall(call.number, -1L, 0L, 0L, 0L, 0L, 0L));
        };
        EXPECT_TRUE(attempt_in(room(), attempt).killed_by_filter()) << call.name;
        EXPECT_EQ(attempt_outside(attempt).signal, 0) << call.name;
    }
}

TEST_F(SandboxPrivileges, a_file_system_cannot_be_mounted) {
    MITRAL_PROVES("T-SW-06", "R64");
    if (!is_root())
        GTEST_SKIP() << "needs root";
    const auto mount_here = [&] {
        return error_of(mount("none", own().c_str(), "tmpfs", 0, nullptr));
    };
    EXPECT_TRUE(attempt_in(room(), mount_here).killed_by_filter());
    EXPECT_TRUE(attempt_outside([&] {
                    if (unshare(CLONE_NEWNS) != 0 ||
                        mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
                        return errno;
                    return mount_here();
                }).succeeded());
}

TEST_F(SandboxPrivileges, another_process_cannot_be_traced_or_read) {
    MITRAL_PROVES("T-SW-06", "T-KEY-01", "R64");
    const pid_t victim = getpid();  // the test itself: same machine, other room
    const auto trace = [&] {
        if (ptrace(PTRACE_SEIZE, victim, nullptr, nullptr) != 0)
            return errno;
        return 0;
    };
    const auto inside = attempt_in(room(), trace);
    EXPECT_TRUE(inside.refused()) << inside;
    if (!base::under_sanitizer) {
        EXPECT_TRUE(inside.killed_by_filter()) << inside;
    }
    const auto memory = "/proc/" + std::to_string(victim) + "/mem";
    EXPECT_TRUE(attempt_in(room(), [&] {
                    return error_of(open(memory.c_str(), O_RDONLY | O_CLOEXEC));
                }).refused());
    if (is_root()) {
        EXPECT_TRUE(attempt_outside(trace).succeeded());
    }
}

TEST_F(SandboxPrivileges, processes_outside_cannot_be_signalled) {
    MITRAL_PROVES("T-SW-06", "R65");
    const pid_t outside = getpid();
    const auto attempt = [&] { return error_of(kill(outside, 0)); };
    EXPECT_TRUE(attempt_in(room(), attempt).refused());
    EXPECT_TRUE(attempt_outside(attempt).succeeded());
}

}  // namespace
}  // namespace mitral::test
