// An MLLP sender for the benchmarks: messages from a template, answers counted in order. Knows
// nothing of src/intake/hl7. A failure ends the program.
#pragma once

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mitral::bench {

[[noreturn]] inline void give_up(std::string_view what) {
    fmt::print(stderr, "bench_hl7: {}: {}\n", what, std::strerror(errno));
    std::exit(EXIT_FAILURE);
}

// One message, framed, with a run of '#' where its number goes.
class Message {
  public:
    explicit Message(const std::string& segments) : text_("\x0b" + segments + "\x1c\r") {
        std::ranges::replace(text_, '\n', '\r');
        at_ = text_.find('#');
        if (at_ == std::string::npos)
            give_up("a message without '#'");
        width_ = text_.find_first_not_of('#', at_) - at_;
    }
    void append_to(std::string& out, std::uint64_t number) const {
        const std::size_t start = out.size() + at_;
        out.append(text_);
        for (std::size_t digit = width_; digit-- > 0; number /= 10)
            out[start + digit] = static_cast<char>('0' + number % 10);
    }

  private:
    std::string text_;
    std::size_t at_ = 0;
    std::size_t width_ = 0;
};

// Messages are parted by an empty line.
inline std::vector<Message> read_messages(const std::string& file) {
    std::ifstream input(file);
    std::vector<Message> messages;
    std::string segments;
    for (std::string line; std::getline(input, line);) {
        if (!line.empty()) {
            segments += line + "\n";
        } else if (!segments.empty()) {
            messages.emplace_back(std::exchange(segments, {}));
        }
    }
    if (!segments.empty())
        messages.emplace_back(segments);
    if (messages.empty())
        give_up("no message in " + file);
    return messages;
}

struct Addresses {
    std::string from;  // bound before connecting: who this monitor is
    std::uint16_t port = 0;
};

// The n-th address from `first` on.
inline std::string address_after(const std::string& first, std::size_t n) {
    in_addr address{};
    if (::inet_pton(AF_INET, first.c_str(), &address) != 1)
        give_up("no address: " + first);
    address.s_addr = htonl(ntohl(address.s_addr) + static_cast<std::uint32_t>(n));
    char text[INET_ADDRSTRLEN];
    return ::inet_ntop(AF_INET, &address, text, sizeof text);
}

inline int connect_to(const Addresses& addresses) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in own{};
    own.sin_family = AF_INET;
    sockaddr_in peer = own;
    peer.sin_port = htons(addresses.port);
    (void)::inet_pton(AF_INET, addresses.from.c_str(), &own.sin_addr);
    (void)::inet_pton(AF_INET, "127.0.0.1", &peer.sin_addr);
    const int one = 1;
    (void)::setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
    (void)::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (fd < 0 || ::bind(fd, reinterpret_cast<const sockaddr*>(&own), sizeof own) != 0 ||
        ::connect(fd, reinterpret_cast<const sockaddr*>(&peer), sizeof peer) != 0)
        give_up("connect from " + addresses.from);
    return fd;
}

class Link {
  public:
    explicit Link(const Addresses& addresses) : fd_(connect_to(addresses)) {}
    ~Link() {
        if (fd_ >= 0)
            ::close(fd_);
    }
    Link(Link&& other) noexcept
        : fd_(std::exchange(other.fd_, -1)),
          output_(std::move(other.output_)),
          input_(std::move(other.input_)),
          answered_(other.answered_),
          refused_(other.refused_) {}
    Link& operator=(Link&&) = delete;

    [[nodiscard]] int fd() const noexcept { return fd_; }
    [[nodiscard]] std::string& output() noexcept { return output_; }
    [[nodiscard]] std::uint64_t answered() const noexcept { return answered_; }
    [[nodiscard]] std::uint64_t refused() const noexcept { return refused_; }

    void write_some() {
        const ssize_t count =
            ::send(fd_, output_.data(), output_.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
        if (count < 0 && errno != EAGAIN)
            give_up("send");
        if (count > 0)
            output_.erase(0, static_cast<std::size_t>(count));
    }
    void read_some() {
        char piece[16384];
        const ssize_t count = ::recv(fd_, piece, sizeof piece, MSG_DONTWAIT);
        if (count == 0 || (count < 0 && errno != EAGAIN))
            give_up("the receiver closed the connection");
        if (count < 0)
            return;
        input_.append(piece, static_cast<std::size_t>(count));
        for (auto end = input_.find('\x1c'); end != std::string::npos; end = input_.find('\x1c')) {
            take(std::string_view(input_).substr(0, end));
            input_.erase(0, end + 1);
        }
    }

  private:
    void take(std::string_view answer) {
        ++answered_;
        if (answer.find("MSA|AA") != std::string_view::npos ||
            answer.find("MSA|CA") != std::string_view::npos)
            return;
        if (refused_++ == 0)
            fmt::print(stderr, "bench_hl7: refused: {}\n", answer.substr(answer.find("MSA")));
    }

    int fd_;
    std::string output_;
    std::string input_;
    std::uint64_t answered_ = 0;
    std::uint64_t refused_ = 0;
};

}  // namespace mitral::bench
