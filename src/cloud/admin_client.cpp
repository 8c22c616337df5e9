#include "cloud/admin_client.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <string_view>

#include "base/fd.hpp"
#include "cloud/error.hpp"
#include "net/connect.hpp"

namespace mitral::cloud {
namespace {

constexpr int patience_ms = 10'000;
constexpr std::size_t longest_answer = 1024 * 1024;

base::Status wait_for(int fd, short events) {
    pollfd ready{.fd = fd, .events = events, .revents = 0};
    const int count = ::poll(&ready, 1, patience_ms);
    if (count < 0 && errno != EINTR)
        return base::fail_errno("wait for the admin port");
    if (count == 0)
        return base::fail(std::make_error_code(std::errc::timed_out), "no answer from the server");
    return {};
}

base::Result<std::string> read_to_end(int fd) {
    std::string text;
    std::array<char, 4096> piece{};
    while (text.size() < longest_answer) {
        MITRAL_CHECK(wait_for(fd, POLLIN));
        const auto got = ::recv(fd, piece.data(), piece.size(), 0);
        if (got == 0)
            return text;
        if (got > 0)
            text.append(piece.data(), static_cast<std::size_t>(got));
        else if (errno != EAGAIN && errno != EINTR)
            return base::fail_errno("read from the admin port");
    }
    return base::fail(CloudError::too_large, "answer of the admin port");
}

}  // namespace

base::Result<std::string> ask_admin(std::uint16_t port, const std::string& method,
                                    const std::string& path) {
    MITRAL_TRY(const auto socket, net::connect_tcp({.target = {"127.0.0.1", port},
                                                    .proxy = {},
                                                    .timeout = base::Milliseconds(patience_ms)}));
    const auto request =
        method + " " + path + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    if (::send(socket.get(), request.data(), request.size(), MSG_NOSIGNAL) !=
        static_cast<ssize_t>(request.size()))
        return base::fail_errno("ask the admin port");
    MITRAL_TRY(const auto answer, read_to_end(socket.get()));
    const auto body_at = answer.find("\r\n\r\n");
    if (!answer.starts_with("HTTP/1.1 ") || body_at == std::string::npos)
        return base::fail(CloudError::invalid_argument, "the admin port speaks no HTTP");
    auto body = answer.substr(body_at + 4);
    if (answer.compare(9, 4, "200 ") != 0)
        return base::fail(CloudError::invalid_argument, std::move(body));
    return body;
}

}  // namespace mitral::cloud
