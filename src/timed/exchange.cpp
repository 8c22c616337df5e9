#include "timed/exchange.hpp"

#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <memory>

#include "net/error.hpp"

namespace mitral::timed {
namespace {

using base::Milliseconds;

constexpr std::size_t header_size = 12;  // "ROUGHTIM", then the length of the rest

struct AddressListDeleter {
    void operator()(addrinfo* list) const noexcept { freeaddrinfo(list); }
};

std::unexpected<base::Error> silent() {
    return base::fail_errno(ETIMEDOUT, "wait for the time authority");
}

// Until the socket is ready or the deadline has passed.
class Deadline {
  public:
    explicit Deadline(Milliseconds timeout) : end_(clock_.monotonic() + timeout) {}

    [[nodiscard]] base::Status await(int fd, short events) const {
        for (;;) {
            const auto left = end_ - clock_.monotonic();
            if (left <= Milliseconds(0))
                return silent();
            pollfd entry{fd, events, 0};
            const int ready = ::poll(&entry, 1, static_cast<int>(left.count()));
            if (ready > 0)
                return {};
            if (ready < 0 && errno != EINTR)
                return base::fail_errno("wait for the time authority");
        }
    }

  private:
    base::SystemClock clock_;
    base::MonotonicTime end_;
};

base::Result<base::UniqueFd> open_udp(const net::Endpoint& server) {
    addrinfo hints{};
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_DGRAM;
    hints.ai_flags = AI_NUMERICSERV | AI_ADDRCONFIG;
    addrinfo* found = nullptr;
    const int failure =
        getaddrinfo(server.host.c_str(), std::to_string(server.port).c_str(), &hints, &found);
    if (failure != 0)
        return base::fail(net::NetError::name_not_resolved,
                          server.host + " (" + gai_strerror(failure) + "); check the DNS server");
    const std::unique_ptr<addrinfo, AddressListDeleter> list(found);
    for (const addrinfo* at = found; at != nullptr; at = at->ai_next) {
        base::UniqueFd fd(
            ::socket(at->ai_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, at->ai_protocol));
        // Connected, so that the kernel drops what another address sends.
        if (fd.valid() && ::connect(fd.get(), at->ai_addr, at->ai_addrlen) == 0)
            return fd;
    }
    return base::fail_errno("reach the time authority");
}

base::Status exchange_udp(const net::Endpoint& server, base::ByteView request, Milliseconds timeout,
                          const Taker& take) {
    MITRAL_TRY(const auto fd, open_udp(server));
    const Deadline deadline(timeout);
    if (::send(fd.get(), request.data(), request.size(), MSG_NOSIGNAL) !=
        static_cast<ssize_t>(request.size()))
        return base::fail_errno("ask the time authority");
    std::array<std::uint8_t, max_answer> buffer{};
    for (int datagrams = 0; datagrams < max_datagrams; ++datagrams) {
        MITRAL_CHECK(deadline.await(fd.get(), POLLIN));
        const auto got = ::recv(fd.get(), buffer.data(), buffer.size(), MSG_TRUNC);
        if (got < 0 && errno != EAGAIN)
            return base::fail_errno("hear the time authority");
        if (got <= 0 || static_cast<std::size_t>(got) > buffer.size())
            continue;
        MITRAL_TRY(const bool done,
                   take(base::ByteView(buffer).first(static_cast<std::size_t>(got))));
        if (done)
            return {};
    }
    return base::fail_errno(EPROTO, "none of the datagrams was the time authority's answer");
}

base::Status send_all(int fd, base::ByteView bytes, const Deadline& deadline) {
    while (!bytes.empty()) {
        MITRAL_CHECK(deadline.await(fd, POLLOUT));
        const auto sent = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent < 0 && errno != EAGAIN)
            return base::fail_errno("ask the time authority");
        if (sent > 0)
            bytes = bytes.subspan(static_cast<std::size_t>(sent));
    }
    return {};
}

base::Status receive_exactly(int fd, base::MutableByteView bytes, const Deadline& deadline) {
    while (!bytes.empty()) {
        MITRAL_CHECK(deadline.await(fd, POLLIN));
        const auto got = ::recv(fd, bytes.data(), bytes.size(), 0);
        if (got == 0)
            return base::fail_errno(ECONNRESET, "the time authority hung up");
        if (got < 0 && errno != EAGAIN)
            return base::fail_errno("hear the time authority");
        if (got > 0)
            bytes = bytes.subspan(static_cast<std::size_t>(got));
    }
    return {};
}

base::Status exchange_tcp(const net::Endpoint& server, base::ByteView request, Milliseconds timeout,
                          const Taker& take) {
    net::ConnectOptions options;
    options.target = server;
    options.timeout = timeout;
    MITRAL_TRY(const auto fd, net::connect_tcp(options));
    const Deadline deadline(timeout);
    MITRAL_CHECK(send_all(fd.get(), request, deadline));
    base::Bytes answer(header_size);
    MITRAL_CHECK(receive_exactly(fd.get(), answer, deadline));
    const std::size_t rest =
        static_cast<std::size_t>(answer[8]) | static_cast<std::size_t>(answer[9]) << 8 |
        static_cast<std::size_t>(answer[10]) << 16 | static_cast<std::size_t>(answer[11]) << 24;
    if (rest > max_answer - header_size)
        return base::fail_errno(EPROTO, "the time authority's answer is too long");
    answer.resize(header_size + rest);
    MITRAL_CHECK(
        receive_exactly(fd.get(), base::MutableByteView(answer).subspan(header_size), deadline));
    MITRAL_TRY(const bool done, take(answer));
    return done ? base::Status{}
                : base::fail_errno(EPROTO, "the trust zone refused the time authority's answer");
}

}  // namespace

base::Status exchange(const Server& server, base::ByteView request, Milliseconds timeout,
                      const Taker& take) {
    return server.transport == Transport::udp
               ? exchange_udp(server.endpoint, request, timeout, take)
               : exchange_tcp(server.endpoint, request, timeout, take);
}

}  // namespace mitral::timed
