// The way to one server, step by step: name, TCP (or proxy), TLS.
#pragma once

#include <optional>
#include <string>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "net/connect.hpp"
#include "net/tls.hpp"

namespace mitral::cli {

struct RouteRequest {
    std::string purpose;  // "DPS", "hub"
    net::Endpoint server;
    std::optional<net::Endpoint> proxy;
    net::TlsClientOptions tls;
    base::Milliseconds timeout{10'000};
};

struct Route {
    enum class Step : std::uint8_t { name, tcp, tls };
    RouteRequest request;
    std::optional<Step> broken;  // none: all the way
    std::optional<base::Error> error;
    std::string tls_version;
};

// Ends the connection again, without a word above TLS.
[[nodiscard]] Route try_route(RouteRequest request);

// Waits until the handshake is through; timed_out after `timeout`.
[[nodiscard]] base::Status complete_handshake(net::TlsStream& stream, base::Milliseconds timeout);
// Waits for the socket; false after `timeout`.
[[nodiscard]] bool wait_for(const net::TlsStream& stream, net::IoOutcome::Kind kind,
                            base::Milliseconds timeout);

// What to do about an error of this step.
[[nodiscard]] std::string remedy_for(const base::Error& error, const RouteRequest& request);

}  // namespace mitral::cli
