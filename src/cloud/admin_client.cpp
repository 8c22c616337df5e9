#include "cloud/admin_client.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <nlohmann/json.hpp>
#include <string_view>

#include "base/fd.hpp"
#include "base/file.hpp"
#include "cloud/error.hpp"
#include "net/connect.hpp"

namespace mitral::cloud {
namespace {

constexpr int patience_ms = 10'000;
constexpr std::size_t longest_answer = 1024 * 1024;

base::Result<std::uint16_t> admin_port(const std::string& state) {
    constexpr std::size_t longest_ports_file = 64 * 1024;
    const auto path = state + "/ports.json";
    MITRAL_TRY(const auto content, base::read_file(path, longest_ports_file));
    const auto ports = nlohmann::json::parse(base::as_text(content), nullptr, false);
    if (!ports.is_object() || !ports.contains("admin") || !ports["admin"].is_number_unsigned())
        return base::fail(CloudError::invalid_argument, path + " names no admin port");
    return ports["admin"].get<std::uint16_t>();
}

base::Status wait_for(int fd, short events) {
    pollfd ready{.fd = fd, .events = events, .revents = 0};
    const int count = ::poll(&ready, 1, patience_ms);
    if (count < 0 && errno != EINTR)
        return base::fail_errno("wait for the admin port");
    if (count == 0)
        return base::fail(std::make_error_code(std::errc::timed_out), "no answer from the server");
    return {};
}

base::Status send_all(int fd, std::string_view text) {
    while (!text.empty()) {
        MITRAL_CHECK(wait_for(fd, POLLOUT));
        const auto sent = ::send(fd, text.data(), text.size(), MSG_NOSIGNAL);
        if (sent > 0)
            text.remove_prefix(static_cast<std::size_t>(sent));
        else if (errno != EAGAIN && errno != EINTR)
            return base::fail_errno("ask the admin port");
    }
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
                                    const std::string& path, const std::string& body) {
    MITRAL_TRY(const auto socket, net::connect_tcp({.target = {"127.0.0.1", port},
                                                    .proxy = {},
                                                    .timeout = base::Milliseconds(patience_ms)}));
    const auto request = method + " " + path +
                         " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" +
                         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
    MITRAL_CHECK(send_all(socket.get(), request));
    MITRAL_TRY(const auto answer, read_to_end(socket.get()));
    const auto body_at = answer.find("\r\n\r\n");
    if (!answer.starts_with("HTTP/1.1 ") || body_at == std::string::npos)
        return base::fail(CloudError::invalid_argument, "the admin port speaks no HTTP");
    auto text = answer.substr(body_at + 4);
    if (answer.compare(9, 1, "2") != 0)
        return base::fail(CloudError::invalid_argument, std::move(text));
    return text;
}

base::Result<std::string> ask_server(const std::string& state, const std::string& method,
                                     const std::string& path, const std::string& body) {
    MITRAL_TRY(const auto port, admin_port(state));
    auto answer = ask_admin(port, method, path, body);
    if (!answer && answer.error().code == CloudError::invalid_argument) {
        const auto refusal = nlohmann::json::parse(answer.error().context, nullptr, false);
        if (refusal.is_object() && refusal.contains("Message"))
            return base::fail(CloudError::invalid_argument, refusal["Message"].get<std::string>());
        if (refusal.is_object() && refusal.contains("error") && refusal["error"].is_object())
            return base::fail(CloudError::invalid_argument, refusal["error"].value("message", ""));
    }
    if (!answer)
        return base::fail_with("is mitral-cloud running on " + state, answer.error());
    return answer;
}

}  // namespace mitral::cloud
