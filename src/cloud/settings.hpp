#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/config.hpp"

namespace mitral::cloud {

// The [cloud] table; command line options override it.
struct Settings {
    std::string state = "/var/lib/mitral/cloud";
    std::vector<std::string> names{
        "localhost"};  // host names of hub and DPS, in the certificate too
    std::string listen = "127.0.0.1";
    std::uint16_t mqtt_port = 8883;  // 0: any free port; state/ports.json tells
    std::uint16_t https_port = 8443;
    std::optional<std::uint16_t> amqp_port;  // none: no AMQP
    std::vector<std::string>
        consumer_groups;              // of the Event Hubs-compatible endpoint, besides $Default
    std::uint16_t admin_port = 8081;  // plain HTTP, always on 127.0.0.1
    // Plain HTTP for the files of updates, which Microsoft's agent wants; none: HTTPS only.
    std::optional<std::uint16_t> files_port{};
    std::optional<std::uint16_t> time_port{};  // Roughtime over UDP and TCP; none: not served
    std::string assigned_hub;         // what DPS tells devices; empty: first name and MQTT port
    base::Seconds expiry_grace{300};  // a connection outlives its token by this
    base::Seconds clock_skew{300};    // a token is taken this long past its end
    base::Seconds retry_after{1};     // what DPS asks a device to wait
    std::uint64_t log_max_mb = 4096;  // oldest messages go beyond; 0: keep all
    std::string tier;                 // F1, S1, S2 or S3, whose limits hold; empty: none
    std::int64_t units = 1;           // of the tier
    std::vector<std::string> as_observed;  // hub/observed.hpp
    std::string user;                      // become this user when started as root
};

// What command line and configuration file both have to keep to.
inline constexpr std::int64_t longest_leniency_s = 86'400;  // of expiry_grace and clock_skew
inline constexpr std::int64_t largest_log_mb = 1'000'000'000;

// Fails with invalid_argument on names that no client could use.
[[nodiscard]] base::Status check(const Settings& settings);

// Reads the [cloud] table into `settings`.
[[nodiscard]] base::Status read_settings(base::Table table, Settings& settings);

}  // namespace mitral::cloud
