// The [uplink] table of the configuration file (docs/configuration.md, mitral-uplink(8)).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/config.hpp"
#include "base/result.hpp"
#include "net/connect.hpp"
#include "net/tls.hpp"
#include "net/trust.hpp"
#include "uplink/reconnect.hpp"
#include "uplink/session.hpp"

namespace mitral::uplink {

struct Settings {
    std::string user;
    std::string vault_socket;
    std::string assignment_file;
    std::vector<std::string> spools;
    std::string state;
    std::string status_file;
    net::TrustSettings trust;
    net::TlsClientOptions tls;  // without roots: tls_context() adds them
    std::optional<net::Endpoint> proxy;
    std::uint16_t hub_port = 8883;
    base::Seconds token_lifetime{3600};
    std::uint32_t max_messages_per_s = 80;
    base::Milliseconds connect_timeout{10'000};  // name, TCP, proxy, TLS, each
    base::Milliseconds drain_timeout{10'000};    // for PUBACKs before a renewal or the end
    base::Milliseconds checkpoint_interval{300'000};
    SessionOptions session;
    ReconnectOptions reconnect;
};

[[nodiscard]] base::Result<Settings> read_settings(base::Table table);

}  // namespace mitral::uplink
