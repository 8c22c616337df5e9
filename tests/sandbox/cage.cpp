#include "sandbox/cage.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <ostream>
#include <string>

#include "base/bytes.hpp"
#include "base/file.hpp"

namespace mitral::test {
namespace {

struct Report {
    int entered = 0;
    int error = 0;
};

// The child reports over a pipe: every exit status is a possible errno already.
Outcome in_child(const std::function<Report()>& body) {
    std::array<int, 2> ends{};
    if (pipe(ends.data()) != 0)
        return {.error = errno};
    const pid_t child = fork();
    if (child == 0) {
        close(ends[0]);
        const Report report = body();
        const bool told = write(ends[1], &report, sizeof report) == sizeof report;
        _exit(told ? 0 : 1);
    }
    close(ends[1]);
    Report report;
    const bool heard = read(ends[0], &report, sizeof report) == sizeof report;
    close(ends[0]);
    int status = 0;
    waitpid(child, &status, 0);
    if (WIFSIGNALED(status))
        return {.signal = WTERMSIG(status)};
    if (!heard)
        return {.error = ECHILD, .entered = false};
    return {.error = report.error, .entered = report.entered != 0};
}

void make_tree(const std::string& path) {
    ASSERT_EQ(mkdir(path.c_str(), 0777), 0);
    ASSERT_EQ(chmod(path.c_str(), 0777), 0);
}

void make_file(const std::string& path) {
    const auto written = base::replace_file(path, base::as_bytes("content"), 0666);
    ASSERT_TRUE(written) << written.error().message();
}

}  // namespace

bool Outcome::killed_by_filter() const {
    return signal == SIGSYS;
}

std::ostream& operator<<(std::ostream& out, const Outcome& outcome) {
    if (!outcome.entered)
        return out << "sandbox not entered";
    if (outcome.signal != 0)
        return out << "killed by signal " << outcome.signal;
    return out << (outcome.error == 0
                       ? "succeeded"
                       : "refused: " + std::generic_category().message(outcome.error));
}

Outcome attempt_in(const base::SandboxPolicy& policy, const Attempt& attempt) {
    return in_child([&]() -> Report {
        const auto entered = base::enter_sandbox(policy);
        if (!entered) {
            const auto message = entered.error().message() + "\n";
            (void)!write(STDERR_FILENO, message.data(), message.size());
            return {.entered = 0, .error = EPERM};
        }
        return {.entered = 1, .error = attempt()};
    });
}

Outcome attempt_outside(const Attempt& attempt) {
    return in_child([&] { return Report{.entered = 1, .error = attempt()}; });
}

int error_of(long result) {
    return result < 0 ? errno : 0;
}

bool is_root() {
    return geteuid() == 0;
}

void CageTest::SetUp() {
    std::string name = "/tmp/mitral-sandbox-XXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    root_ = name;
    ASSERT_EQ(chmod(root_.c_str(), 0777), 0);
    make_tree(root_ + "/own");
    make_tree(root_ + "/foreign");
    make_file(root_ + "/own/state");
    make_file(root_ + "/foreign/secret");
}

void CageTest::TearDown() {
    std::error_code ignored;
    std::filesystem::remove_all(root_, ignored);
}

base::SandboxPolicy CageTest::room() const {
    base::SandboxPolicy policy;
    if (is_root())
        policy.user = "nobody";
    policy.writable = {root_ + "/own"};
    return policy;
}

}  // namespace mitral::test
