// The observation model: what a sensor said, when, and how sure we are of both.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "clinical/decimal.hpp"

namespace mitral::clinical {

// Why there is no value (after HL7 data-absent-reason and ISO/IEEE 11073-20601 special values).
enum class Absent : std::uint8_t {
    unknown = 0,
    not_measured = 1,
    sensor_off = 2,
    error = 3,
    not_a_number = 4,
    above_range = 5,
    below_range = 6,
};
[[nodiscard]] std::string_view to_string(Absent reason) noexcept;  // "not-measured"
[[nodiscard]] std::optional<Absent> parse_absent(std::string_view text) noexcept;

// How sure a device's time is, the surest first.
enum class DeviceClock : std::uint8_t {
    none = 0,          // the device gave no time
    zone_stated = 1,   // an instant: the device said in which zone it stands
    zone_assumed = 2,  // wall clock digits, read in the zone that the gateway was configured with
    disagrees = 3,  // further from the gateway's clock than is tolerated: wrong, or a late message
};
[[nodiscard]] std::string_view to_string(DeviceClock clock) noexcept;  // "zone-stated"

struct Observation {
    std::uint16_t index = 0;  // position in the sender's message, from 0
    std::uint32_t mdc = 0;    // ISO/IEEE 11073-10101 code, 0 when the table has none
    std::string code;         // the reference id, "MDC_ECG_HEART_RATE", or the sender's own name
    std::string unit;         // UCUM, "mm[Hg]"
    std::variant<Decimal, Absent> value;
    bool operator==(const Observation&) const = default;
};

struct Waveform {
    std::uint16_t index = 0;
    std::uint32_t mdc = 0;
    std::string code;
    std::string unit;  // of a scaled sample
    Decimal rate;      // samples per second
    Decimal scale;     // sample × scale = value in `unit`
    std::vector<std::int32_t> samples;
    bool operator==(const Waveform&) const = default;
};

// One message of one source. `received` and `clock` are the gateway's.
struct Reading {
    std::string source;      // "bed-1": 1–64 of [A-Za-z0-9._:-]
    std::string control_id;  // the sender's message id, same alphabet, 1–64
    std::string subject;     // keyed pseudonym of the patient: 22 of base64url; empty: none
    std::optional<base::WallTime> device_time;
    DeviceClock device_clock = DeviceClock::none;  // none exactly where there is no device time
    base::WallTime received;
    base::ClockState clock = base::ClockState::free_running;
    std::vector<Observation> observations;
    std::vector<Waveform> waveforms;
    bool operator==(const Reading&) const = default;
};

}  // namespace mitral::clinical
