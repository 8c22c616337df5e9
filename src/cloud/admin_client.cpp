#include "cloud/admin_client.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <nlohmann/json.hpp>
#include <string_view>

#include "base/fd.hpp"
#include "base/file.hpp"
#include "cloud/error.hpp"
#include "net/connect.hpp"

namespace mitral::cloud {
namespace {

constexpr std::size_t longest_answer = 64 * 1024 * 1024;

}  // namespace

base::Result<std::uint16_t> admin_port(const std::string& state) {
    constexpr std::size_t longest_ports_file = 64 * 1024;
    const auto path = state + "/ports.json";
    const auto content = base::read_file(path, longest_ports_file);
    if (!content)
        return base::fail_with("is mitral-cloud running on " + state, content.error());
    const auto ports = nlohmann::json::parse(base::as_text(*content), nullptr, false);
    if (!ports.is_object() || !ports.contains("admin") || !ports["admin"].is_number_unsigned())
        return base::fail(CloudError::invalid_argument, path + " names no admin port");
    return ports["admin"].get<std::uint16_t>();
}

namespace {

base::Status wait_for(int fd, short events, base::Milliseconds patience) {
    pollfd ready{.fd = fd, .events = events, .revents = 0};
    const int count = ::poll(&ready, 1, static_cast<int>(patience.count()));
    if (count < 0 && errno != EINTR)
        return base::fail_errno("wait for the admin port");
    if (count == 0)
        return base::fail(std::make_error_code(std::errc::timed_out), "no answer from the server");
    return {};
}

base::Status send_all(int fd, std::string_view text, base::Milliseconds patience) {
    while (!text.empty()) {
        MITRAL_CHECK(wait_for(fd, POLLOUT, patience));
        const auto sent = ::send(fd, text.data(), text.size(), MSG_NOSIGNAL);
        if (sent > 0)
            text.remove_prefix(static_cast<std::size_t>(sent));
        else if (errno != EAGAIN && errno != EINTR)
            return base::fail_errno("ask the admin port");
    }
    return {};
}

base::Result<std::string> read_to_end(int fd, base::Milliseconds patience) {
    std::string text;
    std::array<char, 4096> piece{};
    while (text.size() < longest_answer) {
        MITRAL_CHECK(wait_for(fd, POLLIN, patience));
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

std::string AdminAnswer::header(const std::string& name) const {
    const auto start = "\r\n" + name + ": ";
    const auto at = head.find(start);
    if (at == std::string::npos)
        return {};
    const auto value = at + start.size();
    return head.substr(value, head.find("\r\n", value) - value);
}

base::Result<AdminAnswer> exchange(const AdminRequest& request) {
    MITRAL_TRY(const auto socket, net::connect_tcp({.target = {"127.0.0.1", request.port},
                                                    .proxy = {},
                                                    .timeout = request.patience}));
    const auto text = request.method + " " + request.path +
                      " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" + request.headers +
                      "Content-Length: " + std::to_string(request.body.size()) + "\r\n\r\n" +
                      request.body;
    MITRAL_CHECK(send_all(socket.get(), text, request.patience));
    MITRAL_TRY(const auto answer, read_to_end(socket.get(), request.patience));
    constexpr std::string_view version = "HTTP/1.1 ";
    const auto body_at = answer.find("\r\n\r\n");
    int status = 0;
    if (answer.starts_with(version))
        (void)std::from_chars(answer.data() + version.size(),
                              answer.data() + std::min(answer.size(), version.size() + 3), status);
    if (status == 0 || body_at == std::string::npos)
        return base::fail(CloudError::invalid_argument, "the admin port speaks no HTTP");
    return AdminAnswer{.status = status,
                       .head = answer.substr(0, body_at + 2),
                       .body = answer.substr(body_at + 4)};
}

base::Result<std::string> ask_admin(std::uint16_t port, const std::string& method,
                                    const std::string& path, const std::string& body) {
    MITRAL_TRY(auto answer, exchange({.port = port, .method = method, .path = path, .body = body}));
    if (answer.status / 100 != 2)
        return base::fail(CloudError::invalid_argument, std::move(answer.body));
    return std::move(answer.body);
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
