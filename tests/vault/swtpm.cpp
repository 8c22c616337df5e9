#include "vault/swtpm.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "base/fd.hpp"

namespace mitral::test {
namespace {

[[noreturn]] void give_up(const char* what) {
    std::perror(what);
    std::abort();
}

sockaddr_in loopback(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

// On `port` (0: the kernel chooses); invalid when the port is taken.
base::UniqueFd bind_to(std::uint16_t port) {
    base::UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const auto address = loopback(port);
    if (bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
        return {};
    return fd;
}

bool answers(std::uint16_t port) {
    const base::UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const auto address = loopback(port);
    return connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

std::uint16_t port_of(int fd) {
    sockaddr_in address{};
    socklen_t size = sizeof address;
    if (getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0)
        give_up("getsockname");
    return ntohs(address.sin_port);
}

// Two free ports in a row, as the TCTI wants them.
std::uint16_t free_port_pair() {
    for (int attempt = 0; attempt < 100; ++attempt) {
        const auto first = bind_to(0);
        const std::uint16_t port = port_of(first.get());
        if (port < 65535 && bind_to(static_cast<std::uint16_t>(port + 1)).valid())
            return port;
    }
    give_up("no two ports in a row");
}

}  // namespace

Swtpm::Swtpm(const std::string& state_directory) : directory_(state_directory) {
    // Somebody else may take a port between choice and use: then swtpm ends, and another pair is
    // tried.
    for (int attempt = 0; attempt < 5; ++attempt) {
        port_ = free_port_pair();
        spawn();
        if (wait_until_ready())
            return;
        stop();
    }
    give_up("swtpm does not start (install the packages of scripts/deps.sh)");
}

Swtpm::~Swtpm() {
    stop();
}

std::string Swtpm::tcti() const {
    return "swtpm:host=127.0.0.1,port=" + std::to_string(port_);
}

void Swtpm::start() {
    spawn();
    if (!wait_until_ready())
        give_up("swtpm does not start again");
}

void Swtpm::replace(const std::string& state_directory) {
    stop();
    directory_ = state_directory;
    start();
}

void Swtpm::spawn() {
    const std::string state = "dir=" + directory_;
    const std::string server = "type=tcp,bindaddr=127.0.0.1,port=" + std::to_string(port_);
    const std::string control = "type=tcp,bindaddr=127.0.0.1,port=" + std::to_string(port_ + 1);
    const pid_t parent = getpid();
    pid_ = fork();
    if (pid_ < 0)
        give_up("fork");
    if (pid_ != 0)
        return;
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(1);
    execlp("swtpm", "swtpm", "socket", "--tpm2", "--tpmstate", state.c_str(), "--server",
           server.c_str(), "--ctrl", control.c_str(), "--flags", "not-need-init",
           static_cast<char*>(nullptr));
    std::perror("swtpm");
    _exit(127);
}

bool Swtpm::wait_until_ready() {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (std::chrono::steady_clock::now() < deadline) {
        if (answers(static_cast<std::uint16_t>(port_ + 1)) && answers(port_))
            return true;
        if (waitpid(pid_, nullptr, WNOHANG) == pid_) {
            pid_ = -1;
            return false;
        }
        (void)poll(nullptr, 0, 2);  // it offers nothing to wait for but its port
    }
    return false;
}

void Swtpm::stop() {
    if (pid_ < 0)
        return;
    (void)kill(pid_, SIGKILL);
    (void)waitpid(pid_, nullptr, 0);
    pid_ = -1;
}

}  // namespace mitral::test
