// TCP to a host, straight or through an HTTP proxy (RFC 9110 §9.3.6 CONNECT), as hospitals have
// them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/clock.hpp"
#include "base/fd.hpp"
#include "base/result.hpp"

namespace mitral::net {

struct Endpoint {
    std::string host;
    std::uint16_t port = 0;
};
// "host:port", "host" (with `default_port`), "[::1]:443".
[[nodiscard]] base::Result<Endpoint> parse_endpoint(const std::string& text,
                                                    std::uint16_t default_port);

struct ConnectOptions {
    Endpoint target;
    std::optional<Endpoint> proxy;
    base::Milliseconds timeout{10'000};  // for each step: name, TCP, proxy
};

// Blocks up to the timeout; the socket that comes back is non-blocking with TCP_NODELAY.
[[nodiscard]] base::Result<base::UniqueFd> connect_tcp(const ConnectOptions& options);
// Begins a connection to a numeric address and returns at once: when the socket is writable,
// connection_result() says what became of it.
[[nodiscard]] base::Result<base::UniqueFd> start_connect(const Endpoint& target);
[[nodiscard]] base::Status connection_result(int socket, const Endpoint& target);
// Non-blocking, SO_REUSEADDR. `host` is an address or a name of this machine.
[[nodiscard]] base::Result<base::UniqueFd> listen_tcp(const Endpoint& at);

}  // namespace mitral::net
