// The [enrol] table of mitral.toml (docs/configuration.md).
#pragma once

#include <optional>
#include <string>

#include "base/config.hpp"
#include "base/result.hpp"
#include "enrol/registration.hpp"
#include "net/connect.hpp"
#include "net/tls.hpp"
#include "net/trust.hpp"

namespace mitral::enrol {

struct Settings {
    std::string user;
    std::string vault_socket;
    std::string assignment_file;
    net::Endpoint dps;
    net::TrustSettings trust;
    net::TlsVersion minimum_tls = net::TlsVersion::tls12;
    std::optional<net::Endpoint> proxy;
    base::Milliseconds connect_timeout{10'000};
    base::Milliseconds request_timeout{30'000};
    RegistrationOptions registration;
};

[[nodiscard]] base::Result<Settings> read_settings(base::Table table);

}  // namespace mitral::enrol
