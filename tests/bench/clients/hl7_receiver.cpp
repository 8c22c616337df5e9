// The least a receiver of HL7 over MLLP can do: it finds the end of a frame, copies the control id
// into an answer, and keeps nothing. A peer for the benchmarks.
//   bench_hl7_receiver --port P
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <string_view>

namespace {

[[noreturn]] void give_up(const char* what) {
    std::perror(what);
    std::exit(EXIT_FAILURE);
}

std::string_view control_id(std::string_view message) {
    for (int field = 1; field < 10; ++field) {
        const auto bar = message.find('|');
        if (bar == std::string_view::npos)
            return {};
        message.remove_prefix(bar + 1);
    }
    return message.substr(0, message.find_first_of("|\r"));
}

void answer(int fd, std::string_view message) {
    std::string text = "\x0bMSH|^~\\&|||||20260101000000||ACK^R01|1|P|2.6\rMSA|AA|";
    text.append(control_id(message)).append("\r\x1c\r");
    if (::send(fd, text.data(), text.size(), MSG_NOSIGNAL) < 0)
        return;
}

int listen_on(std::uint16_t port) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int one = 1;
    (void)::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
        ::listen(fd, 512) != 0)
        give_up("listen");
    return fd;
}

class Receiver {
  public:
    explicit Receiver(std::uint16_t port)
        : epoll_(::epoll_create1(EPOLL_CLOEXEC)), listener_(listen_on(port)) {
        watch(listener_);
    }
    [[noreturn]] void run() {
        epoll_event ready[64];
        while (true) {
            const int count = ::epoll_wait(epoll_, ready, 64, -1);
            if (count < 0)
                give_up("epoll_wait");
            for (int i = 0; i < count; ++i)
                ready[i].data.fd == listener_ ? accept() : receive(ready[i].data.fd);
        }
    }

  private:
    void watch(int fd) {
        epoll_event event{.events = EPOLLIN, .data = {.fd = fd}};
        if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) != 0)
            give_up("epoll");
    }
    void accept() {
        const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
        if (fd < 0)
            return;
        const int one = 1;
        (void)::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        watch(fd);
    }
    void receive(int fd) {
        char piece[65536];
        const ssize_t count = ::recv(fd, piece, sizeof piece, 0);
        auto& input = inputs_[fd];
        if (count <= 0) {
            inputs_.erase(fd);
            ::close(fd);
            return;
        }
        input.append(piece, static_cast<std::size_t>(count));
        for (auto end = input.find('\x1c'); end != std::string::npos; end = input.find('\x1c')) {
            answer(fd, std::string_view(input).substr(0, end));
            input.erase(0, end + 2);
        }
    }

    int epoll_;
    int listener_;
    std::map<int, std::string> inputs_;
};

}  // namespace

int main(int argc, char** argv) {
    CLI::App app("Answers HL7 messages and keeps nothing");
    std::uint16_t port = 0;
    app.add_option("--port", port)->required();
    CLI11_PARSE(app, argc, argv);
    Receiver(port).run();
}
