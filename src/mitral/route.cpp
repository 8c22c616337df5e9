#include "mitral/route.hpp"

#include <fmt/format.h>
#include <poll.h>

#include "base/errors.hpp"

namespace mitral::cli {
namespace {

using net::IoOutcome;
using net::NetError;

std::string name_of(const net::Endpoint& endpoint) {
    return fmt::format("{}:{}", endpoint.host, endpoint.port);
}

Route broken_at(Route route, Route::Step step, base::Error error) {
    route.broken = step;
    route.error = std::move(error);
    return route;
}

// What net::pinned_roots() says of a bundle or its key.
bool is_bundle_error(const std::error_code& code) {
    using base::BaseError;
    return code == BaseError::not_authentic || code == BaseError::malformed ||
           code == BaseError::too_large || code == BaseError::invalid_setting;
}

}  // namespace

bool wait_for(const net::TlsStream& stream, IoOutcome::Kind kind, base::Milliseconds timeout) {
    pollfd entry{stream.fd(),
                 static_cast<short>(kind == IoOutcome::Kind::want_write ? POLLOUT : POLLIN), 0};
    int ready = 0;
    do {
        ready = ::poll(&entry, 1, static_cast<int>(timeout.count()));
    } while (ready < 0 && errno == EINTR);
    return ready > 0;
}

base::Status complete_handshake(net::TlsStream& stream, base::Milliseconds timeout) {
    while (true) {
        MITRAL_TRY(const auto outcome, stream.handshake());
        if (outcome.kind == IoOutcome::Kind::done)
            return {};
        if (outcome.kind == IoOutcome::Kind::closed)
            return base::fail(NetError::connection_lost, "closed during the handshake");
        if (!wait_for(stream, outcome.kind, timeout))
            return base::fail(base::BaseError::timed_out, "no answer to the TLS handshake");
    }
}

Route try_route(RouteRequest request) {
    Route route{std::move(request), {}, {}, {}};
    const auto& asked = route.request;
    auto socket = net::connect_tcp({asked.server, asked.proxy, asked.timeout});
    if (!socket) {
        const bool nameless = socket.error().code == NetError::name_not_resolved;
        return broken_at(std::move(route), nameless ? Route::Step::name : Route::Step::tcp,
                         socket.error());
    }
    const auto context = net::TlsContext::client(asked.tls);
    if (!context)
        return broken_at(std::move(route), Route::Step::tls, context.error());
    auto stream = context->connect(*std::move(socket), asked.server.host);
    if (!stream)
        return broken_at(std::move(route), Route::Step::tls, stream.error());
    if (auto shaken = complete_handshake(*stream, asked.timeout); !shaken)
        return broken_at(std::move(route), Route::Step::tls, shaken.error());
    route.tls_version = stream->version();
    stream->shutdown();
    return route;
}

std::string remedy_for(const base::Error& error, const RouteRequest& request) {
    const auto& code = error.code;
    const auto server = name_of(request.server);
    if (code == NetError::name_not_resolved)
        return "check the DNS server (resolvectl query) and the name in the configuration";
    if (code == NetError::unreachable)
        return fmt::format("check that the firewall lets this unit reach {}",
                           request.proxy ? name_of(*request.proxy) : server);
    if (code == NetError::proxy_refused)
        return fmt::format("let the proxy {} pass CONNECT to {}", name_of(*request.proxy), server);
    if (code == NetError::trust_store)
        return "name readable PEM files in root_files";
    if (is_bundle_error(code))
        return "remove that trust bundle and put a good one there (mitral trust install); without "
               "one root_files hold";
    if (code == NetError::untrusted_issuer || code == NetError::self_signed)
        return "something between here and the server opens TLS (an inspecting proxy: exempt this "
               "host), or "
               "the pinned roots are out of date (install a newer trust bundle)";
    if (code == NetError::name_mismatch)
        return fmt::format("the certificate is for another name than {}: check the name and DNS",
                           request.server.host);
    if (code == NetError::certificate_expired || code == NetError::certificate_not_yet_valid)
        return "check this unit's clock first, then the server's certificate";
    if (code == NetError::protocol_version)
        return "the server offers no TLS version this unit takes (minimum_tls; never below 1.2)";
    if (code == NetError::no_shared_cipher)
        return "the server offers no suite with forward secrecy and AEAD: it has to be brought up "
               "to date";
    return fmt::format("check what answers at {}", server);
}

}  // namespace mitral::cli
