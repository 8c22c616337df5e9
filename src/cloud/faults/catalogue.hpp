// Which faults there are and what each one may be told. No state.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/result.hpp"

namespace mitral::cloud::faults {

enum class Fault : std::uint8_t {
    hub_away,            // MQTT connections are cut, new ones are closed at once
    drop,                // connections are cut now; lasts no time
    throttle_connects,   // CONNACK 3
    throttle_telemetry,  // excess waits, then costs the connection: over MQTT there is no 429
    daily_quota,         // CONNACK 0, and the first PUBLISH costs the connection
    slow_puback,
    silent_hub,       // takes bytes, answers none
    expired_tokens,   // connections are cut, CONNACK 5
    dps_unreachable,  // the HTTPS port closes connections; CONNACK 3 for DPS over MQTT
    dps_throttled,    // 429 with Retry-After
    dps_assigning,    // look-ups find the registration still under way
    dps_failed,       // registrations end as failed, or every call is refused, with one errorCode
    dps_reassigning,  // registrations lead to another hub, and only that one knows the device
    hub_failover,     // all are cut; registrations lead to another hub, which alone takes devices
    half_open,        // the hub vanishes from connections without a word: no FIN, no RST
    latency,          // bytes arrive late, each way by itself
    loss,             // a share of messages is never answered
    clock_off,        // the server's wall clock is wrong
    certificate_rollover,  // new connections meet a certificate under another root
    malformed,             // a share of replies breaks its protocol
};
inline constexpr std::size_t fault_count = 20;

struct NumberParameter {
    std::string_view name;
    std::int64_t minimum;
    std::int64_t maximum;
    std::optional<std::int64_t> fallback;  // none: must be given
};

struct TextParameter {
    enum class Kind : std::uint8_t { host, device, choice };
    std::string_view name;
    Kind kind = Kind::choice;
    std::optional<std::string_view> fallback;  // none: must be given; "": may be left out
    std::span<const std::string_view> choices{};
};

struct Entry {
    Fault fault;
    std::string_view name;  // as in /faults/{name}
    bool counted;           // takes `count`
    std::span<const NumberParameter> numbers;
    std::span<const TextParameter> texts{};
};
[[nodiscard]] std::span<const Entry, fault_count> catalogue() noexcept;
[[nodiscard]] const Entry& entry_of(Fault fault) noexcept;
// Error: not_found.
[[nodiscard]] base::Result<Fault> find_fault(std::string_view name);

inline constexpr base::Seconds longest_fault{7 * 24 * 3600};

// A fault with all it was told, checked.
struct Order {
    Fault fault = Fault::hub_away;
    std::map<std::string, std::int64_t, std::less<>> numbers{};
    std::map<std::string, std::string, std::less<>> texts{};
    std::optional<std::uint64_t> count{};     // strikes this often, then is off
    std::optional<base::Seconds> duration{};  // is off after this

    // Of a parameter that the catalogue gives this fault.
    [[nodiscard]] std::int64_t number(std::string_view name) const;
    [[nodiscard]] std::string_view text(std::string_view name) const;  // empty: left out
};
// `parameters`: name and value as given. Errors: not_found, invalid_argument; their text is one
// line that names the parameter and what it may be.
[[nodiscard]] base::Result<Order> read_order(std::string_view name,
                                             const std::map<std::string, std::string>& parameters);

}  // namespace mitral::cloud::faults
