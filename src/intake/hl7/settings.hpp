// The table [intake-hl7] of mitral.toml.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/config.hpp"
#include "base/result.hpp"
#include "intake/hl7/dialler.hpp"
#include "intake/hl7/limits.hpp"
#include "intake/store/adapter_settings.hpp"
#include "net/address.hpp"
#include "net/connect.hpp"
#include "net/tls.hpp"

namespace mitral::intake::hl7 {

constexpr std::uint16_t default_port = 2575;  // IANA: hl7

struct ListenSettings {
    net::Endpoint at;
    // Both files empty: plain TCP. Without roots no client certificate is asked for.
    net::TlsServerOptions tls;
};

struct MonitorSettings {
    std::string source;
    std::optional<net::Network> network;
    std::string certificate;
    std::string dialect;  // the name of a code table; empty: only the standard codes
    std::string zone;     // IANA; empty: that of all monitors
    std::map<std::string, std::string, std::less<>> beds;
    std::optional<net::Endpoint> dial;
    std::vector<std::string> dial_roots;
    std::string dial_name;
    std::string dial_certificate;  // ours, for a monitor that asks for one; empty: none
    std::string dial_key;
    Query query = Query::none;
    base::Milliseconds query_interval{60'000};
};

struct Settings {
    AdapterSettings adapter;
    ServerLimits limits;
    std::vector<std::string> code_tables;
    bool pseudonyms = false;
    base::Milliseconds clock_tolerance{60'000};
    std::string zone;
    std::vector<ListenSettings> listeners;
    std::vector<MonitorSettings> monitors;

    [[nodiscard]] bool dials() const noexcept;
};

[[nodiscard]] base::Result<Settings> read_settings(const base::Config& config);

}  // namespace mitral::intake::hl7
