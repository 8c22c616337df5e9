// Code that was not there from the start does not run: no other program, no new code in memory.
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <thread>

#include "base/errors.hpp"
#include "base/sanitizer.hpp"
#include "sandbox/cage.hpp"
#include "support/proves.hpp"
#include "support/result_matchers.hpp"

namespace mitral::test {
namespace {

// Runs a program in a grandchild, so that success is seen too.
int run(const char* program) {
    const pid_t child = fork();
    if (child < 0)
        return errno;
    if (child == 0) {
        execl(program, program, nullptr);
        _exit(errno == 0 ? 1 : errno);
    }
    int status = 0;
    if (waitpid(child, &status, 0) != child)
        return errno;
    return WIFEXITED(status) ? WEXITSTATUS(status) : EINTR;
}

int map(int protection) {
    void* memory = mmap(nullptr, 4096, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return memory == MAP_FAILED ? errno : 0;
}

class SandboxProcesses : public CageTest {};

TEST_F(SandboxProcesses, no_other_program_is_started) {
    MITRAL_PROVES("T-SW-06", "CR 2.1", "EDR 3.2", "PS-05");
    EXPECT_TRUE(attempt_in(room(), [] { return run("/bin/true"); }).refused());
    EXPECT_TRUE(attempt_in(room(), [] {
                    execl("/bin/true", "true", nullptr);
                    return errno;
                }).refused());
    EXPECT_TRUE(attempt_outside([] { return run("/bin/true"); }).succeeded());
}

TEST_F(SandboxProcesses, a_program_dropped_into_the_own_state_does_not_run) {
    MITRAL_PROVES("T-SW-06", "EDR 3.2");
    auto policy = room();
    policy.execute = true;  // even then: what can be written cannot be executed
    const auto program = own("dropped");
    const auto drop = [&](int* error) {
        const int from = open("/bin/true", O_RDONLY | O_CLOEXEC);
        const int to = open(program.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
        char buffer[4096];
        ssize_t count = 0;
        while ((count = read(from, buffer, sizeof buffer)) > 0)
            if (write(to, buffer, static_cast<std::size_t>(count)) != count)
                *error = EIO;
        if (from < 0 || to < 0)
            *error = errno;
        close(from);
        close(to);
    };
    int error = 0;
    drop(&error);
    ASSERT_EQ(error, 0);
    EXPECT_TRUE(attempt_in(policy, [&] { return run(program.c_str()); }).refused());
    EXPECT_TRUE(attempt_outside([&] { return run(program.c_str()); }).succeeded());
}

TEST_F(SandboxProcesses, a_tool_with_the_right_starts_programs) {
    auto policy = room();
    policy.execute = true;
    const auto outcome = attempt_in(policy, [] { return run("/bin/true"); });
    EXPECT_TRUE(outcome.succeeded()) << outcome;
}

TEST_F(SandboxProcesses, a_program_in_memory_does_not_run) {
    MITRAL_PROVES("T-SW-06", "EDR 3.2");
    const auto attempt = [] { return error_of(memfd_create("code", MFD_CLOEXEC)); };
    EXPECT_TRUE(attempt_in(room(), attempt).refused());
    EXPECT_TRUE(attempt_outside(attempt).succeeded());
}

TEST_F(SandboxProcesses, memory_is_never_writable_and_executable) {
    MITRAL_PROVES("T-SW-08", "EDR 3.2", "R64");
    if (base::under_sanitizer)
        GTEST_SKIP() << "the sanitizer's own mappings are exempt";
    const auto both = [] { return map(PROT_READ | PROT_WRITE | PROT_EXEC); };
    const auto later = [] {
        void* memory =
            mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        return error_of(mprotect(memory, 4096, PROT_READ | PROT_EXEC));
    };
    EXPECT_TRUE(attempt_in(room(), both).refused());
    EXPECT_TRUE(attempt_in(room(), later).refused());
    EXPECT_TRUE(attempt_outside(both).succeeded());
    EXPECT_TRUE(attempt_outside(later).succeeded());
}

TEST_F(SandboxProcesses, nothing_is_typed_into_a_terminal) {
    MITRAL_PROVES("T-SW-06");
    EXPECT_EQ(attempt_in(room(),
                         [] {
                             char key = 'x';
                             return error_of(ioctl(STDERR_FILENO, TIOCSTI, &key));
                         })
                  .error,
              EPERM);
}

TEST_F(SandboxProcesses, young_system_calls_are_absent_rather_than_refused) {
    // The C library falls back to an older call on ENOSYS only.
    EXPECT_EQ(attempt_in(room(), [] { return error_of(syscall(435, nullptr, 0)); }).error, ENOSYS);
    EXPECT_EQ(attempt_in(room(), [] { return error_of(syscall(590)); }).error, ENOSYS);
}

TEST_F(SandboxProcesses, a_process_with_threads_is_not_half_caged) {
    MITRAL_PROVES("T-SW-06");
    if (base::under_sanitizer)
        GTEST_SKIP() << "a sanitizer may keep a thread of its own";
    const auto enter = [&] {
        const auto entered = base::enter_sandbox(room());
        if (entered)
            return 0;
        return failed_with(entered, base::BaseError::not_supported) ? EPERM : EIO;
    };
    const auto with_a_thread = attempt_outside([&] {
        std::thread([] { pause(); }).detach();
        return enter();
    });
    EXPECT_EQ(with_a_thread.error, EPERM) << with_a_thread;
    const auto alone = attempt_outside(enter);
    EXPECT_TRUE(alone.succeeded()) << alone;
}

}  // namespace
}  // namespace mitral::test
