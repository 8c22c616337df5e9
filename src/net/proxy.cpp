#include "net/proxy.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <cerrno>

#include "base/errors.hpp"
#include "net/error.hpp"

namespace mitral::net {

using base::fail;
using base::fail_errno;
using base::Result;
using base::Status;

namespace {

Status await(int fd, short events, base::MonotonicTime deadline) {
    const base::SystemClock clock;
    while (true) {
        const auto left = deadline - clock.monotonic();
        if (left.count() <= 0)
            return fail(base::BaseError::timed_out, "proxy handshake");
        pollfd entry{fd, events, 0};
        const int ready = ::poll(&entry, 1, static_cast<int>(left.count()));
        if (ready > 0)
            return {};
        if (ready < 0 && errno != EINTR)
            return fail_errno("proxy handshake");
    }
}

Status send_request(int fd, std::string_view request, base::MonotonicTime deadline) {
    while (!request.empty()) {
        MITRAL_CHECK(await(fd, POLLOUT, deadline));
        const ssize_t sent = ::send(fd, request.data(), request.size(), MSG_NOSIGNAL);
        if (sent < 0 && errno != EAGAIN && errno != EINTR)
            return fail_errno("send to the proxy");
        if (sent > 0)
            request.remove_prefix(static_cast<std::size_t>(sent));
    }
    return {};
}

// One byte at a time: what follows the answer already belongs to TLS.
Result<int> receive_status(int fd, base::MonotonicTime deadline) {
    std::string answer;
    while (true) {
        MITRAL_CHECK(await(fd, POLLIN, deadline));
        char byte = 0;
        const ssize_t count = ::recv(fd, &byte, 1, 0);
        if (count == 0)
            return fail(NetError::proxy_refused, "the proxy closed the connection");
        if (count < 0 && errno != EAGAIN && errno != EINTR)
            return fail_errno("receive from the proxy");
        if (count < 0)
            continue;
        answer.push_back(byte);
        MITRAL_TRY(const auto status, parse_connect_answer(answer));
        if (status)
            return *status;
    }
}

}  // namespace

std::string connect_request(const Endpoint& target) {
    const bool literal6 = target.host.find(':') != std::string::npos;
    const std::string authority =
        (literal6 ? "[" + target.host + "]" : target.host) + ":" + std::to_string(target.port);
    return "CONNECT " + authority + " HTTP/1.1\r\nHost: " + authority + "\r\n\r\n";
}

Result<std::optional<int>> parse_connect_answer(std::string_view answer) {
    if (!answer.ends_with("\r\n\r\n")) {
        if (answer.size() >= max_proxy_answer)
            return fail(base::BaseError::too_large, "answer of the proxy");
        return std::optional<int>();
    }
    const bool http = answer.starts_with("HTTP/1.1 ") || answer.starts_with("HTTP/1.0 ");
    if (!http || answer.size() < 13)
        return fail(base::BaseError::malformed, "answer of the proxy is not HTTP");
    int status = 0;
    for (const char c : answer.substr(9, 3)) {
        if (c < '0' || c > '9')
            return fail(base::BaseError::malformed, "answer of the proxy is not HTTP");
        status = status * 10 + (c - '0');
    }
    return std::optional(status);
}

Status open_tunnel(int fd, const Endpoint& target, base::Milliseconds timeout) {
    const auto deadline = base::SystemClock().monotonic() + timeout;
    MITRAL_CHECK(send_request(fd, connect_request(target), deadline));
    MITRAL_TRY(const int status, receive_status(fd, deadline));
    if (status < 200 || status > 299)
        return fail(NetError::proxy_refused, "HTTP status " + std::to_string(status) + " for " +
                                                 target.host +
                                                 "; ask the network's owner to allow it");
    return {};
}

}  // namespace mitral::net
