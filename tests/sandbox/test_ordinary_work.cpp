// A cage that stops honest work would be switched off: what the rooms do every day still works
// inside.
#include <netdb.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/timex.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <ctime>
#include <string>
#include <thread>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/fd.hpp"
#include "base/file.hpp"
#include "base/secret.hpp"
#include "sandbox/cage.hpp"

namespace mitral::test {
namespace {

int wait_for_timer() {
    const base::UniqueFd timer(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC));
    const base::UniqueFd poll(epoll_create1(EPOLL_CLOEXEC));
    const base::UniqueFd event(eventfd(0, EFD_CLOEXEC));
    if (!timer.valid() || !poll.valid() || !event.valid())
        return errno;
    itimerspec soon{};
    soon.it_value.tv_nsec = 1'000'000;
    epoll_event interest{};
    interest.events = EPOLLIN;
    if (timerfd_settime(timer.get(), 0, &soon, nullptr) != 0 ||
        epoll_ctl(poll.get(), EPOLL_CTL_ADD, timer.get(), &interest) != 0)
        return errno;
    epoll_event happened{};
    return epoll_wait(poll.get(), &happened, 1, 5000) == 1 ? 0 : ETIMEDOUT;
}

int talk_over(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    const auto* generic = reinterpret_cast<const sockaddr*>(&address);
    const base::UniqueFd server(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
    const base::UniqueFd client(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
    if (bind(server.get(), generic, sizeof address) != 0 || chmod(path.c_str(), 0660) != 0 ||
        listen(server.get(), 4) != 0 || connect(client.get(), generic, sizeof address) != 0)
        return errno;
    const base::UniqueFd accepted(accept4(server.get(), nullptr, nullptr, SOCK_CLOEXEC));
    ucred peer{};
    socklen_t length = sizeof peer;
    if (getsockopt(accepted.get(), SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0)
        return errno;
    return send(client.get(), "x", 1, MSG_NOSIGNAL) == 1 && peer.uid == getuid() ? 0 : EIO;
}

int use_openssl() {
    std::array<unsigned char, 32> bytes{};
    if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1)
        return EIO;
    unsigned length = 0;
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    return EVP_Digest(bytes.data(), bytes.size(), digest.data(), &length, EVP_sha256(), nullptr) ==
                   1
               ? 0
               : EIO;
}

class SandboxWork : public CageTest {};

TEST_F(SandboxWork, timers_events_and_signals) {
    const auto outcome = attempt_in(room(), [] {
        sigset_t signals;
        sigemptyset(&signals);
        sigaddset(&signals, SIGTERM);
        if (sigprocmask(SIG_BLOCK, &signals, nullptr) != 0)
            return errno;
        const base::UniqueFd fd(signalfd(-1, &signals, SFD_CLOEXEC));
        if (!fd.valid() || raise(SIGTERM) != 0)
            return errno;
        signalfd_siginfo info{};
        if (read(fd.get(), &info, sizeof info) != sizeof info)
            return errno;
        return wait_for_timer();
    });
    EXPECT_TRUE(outcome.succeeded()) << outcome;
}

TEST_F(SandboxWork, local_sockets_in_the_own_room) {
    const auto outcome = attempt_in(room(), [&] { return talk_over(own("room.sock")); });
    EXPECT_TRUE(outcome.succeeded()) << outcome;
}

TEST_F(SandboxWork, durable_files_and_watching_them) {
    const auto outcome = attempt_in(room(), [&] {
        const base::UniqueFd watch(inotify_init1(IN_CLOEXEC));
        if (inotify_add_watch(watch.get(), own().c_str(), IN_MOVED_TO) < 0)
            return errno;
        if (!base::replace_file(own("state"), base::as_bytes("later"), 0640))
            return EIO;
        std::array<char, 4096> event{};
        return read(watch.get(), event.data(), event.size()) > 0 ? 0 : errno;
    });
    EXPECT_TRUE(outcome.succeeded()) << outcome;
}

TEST_F(SandboxWork, threads) {
    const auto outcome = attempt_in(room(), [] {
        std::atomic<int> count = 0;
        std::thread first([&] { ++count; });
        std::thread second([&] { ++count; });
        first.join();
        second.join();
        return count == 2 ? 0 : EIO;
    });
    EXPECT_TRUE(outcome.succeeded()) << outcome;
}

TEST_F(SandboxWork, cryptography_and_locked_secrets) {
    const auto outcome = attempt_in(room(), [] {
        const base::Secret secret(64);
        return use_openssl();
    });
    EXPECT_TRUE(outcome.succeeded()) << outcome;
}

TEST_F(SandboxWork, reading_the_clock_and_its_state) {
    const auto outcome = attempt_in(room(), [] {
        timex status{};
        timespec now{};
        return adjtimex(&status) == -1 || clock_gettime(CLOCK_BOOTTIME, &now) != 0 ? errno : 0;
    });
    EXPECT_TRUE(outcome.succeeded()) << outcome;
}

TEST_F(SandboxWork, names_are_resolved_with_internet) {
    auto policy = room();
    policy.internet = true;
    policy.tcp_connect = {443};
    const auto outcome = attempt_in(policy, [] {
        addrinfo* found = nullptr;
        const int result = getaddrinfo("localhost", "443", nullptr, &found);
        if (result == 0)
            freeaddrinfo(found);
        return result == 0 ? 0 : EIO;
    });
    EXPECT_TRUE(outcome.succeeded()) << outcome;
}

TEST_F(SandboxWork, abort_still_ends_the_process) {
    const auto outcome = attempt_in(room(), []() -> int { std::abort(); });
    EXPECT_EQ(outcome.signal, SIGABRT) << outcome;
}

TEST_F(SandboxWork, the_report_names_what_took_hold) {
    const bool root = is_root();
    const auto outcome = attempt_outside([&] {
        const auto report = base::enter_sandbox(room());
        const bool complete = report && report->landlock_abi >= 1 && report->seccomp &&
                              report->network_isolated == root;
        return complete ? 0 : EPERM;
    });
    EXPECT_TRUE(outcome.succeeded()) << outcome;
}

}  // namespace
}  // namespace mitral::test
