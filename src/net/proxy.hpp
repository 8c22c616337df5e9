// The HTTP CONNECT handshake with a proxy. The proxy is hostile input: its answer is bounded and
// only the status line counts; TLS inside the tunnel decides who the other end is.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "net/connect.hpp"

namespace mitral::net {

constexpr std::size_t max_proxy_answer = 8 * 1024;  // bytes up to the empty line

[[nodiscard]] std::string connect_request(const Endpoint& target);
// The status code of a complete answer; nullopt: more bytes needed.
[[nodiscard]] base::Result<std::optional<int>> parse_connect_answer(std::string_view answer);
// Works on a non-blocking socket, blocking up to `timeout`. Reads not one byte behind the answer.
[[nodiscard]] base::Status open_tunnel(int fd, const Endpoint& target, base::Milliseconds timeout);

}  // namespace mitral::net
