#include "clinical/errors.hpp"
#include "clinical/identifier.hpp"
#include "clinical/record.hpp"

namespace mitral::clinical {
namespace {

using base::fail;
using base::Status;

Status out_of_bounds(const char* what) {
    return fail(ClinicalError::out_of_bounds, what);
}

bool is_writable(base::WallTime time) noexcept {
    return time >= earliest_time && time <= latest_time;
}

bool is_known(Absent reason) noexcept {
    return reason <= Absent::below_range;
}

Status check_value(const std::variant<Decimal, Absent>& value) {
    if (const auto* decimal = std::get_if<Decimal>(&value))
        return is_valid(*decimal) ? Status{} : out_of_bounds("a value has too many digits");
    return is_known(std::get<Absent>(value)) ? Status{} : out_of_bounds("unknown absence reason");
}

// What an observation and a waveform have in common.
template <typename Item>
Status check_naming(const Item& item, int& last_index) {
    if (item.index <= last_index)
        return out_of_bounds("indexes do not rise");
    last_index = item.index;
    if (!is_identifier(item.code))
        return out_of_bounds("a code is not 1 to 64 of [A-Za-z0-9._:-]");
    if (!is_unit(item.unit))
        return out_of_bounds("a unit is not 1 to 32 visible characters");
    return {};
}

Status check_waveform(const Waveform& wave) {
    if (wave.samples.empty() || wave.samples.size() > max_samples)
        return out_of_bounds("a waveform has no samples or too many");
    if (!is_valid(wave.rate) || wave.rate.mantissa <= 0)
        return out_of_bounds("a sample rate is not above zero");
    if (!is_valid(wave.scale) || wave.scale.mantissa == 0)
        return out_of_bounds("a scale is zero or has too many digits");
    return {};
}

Status check_envelope(const Reading& reading) {
    if (!is_identifier(reading.source) || !is_identifier(reading.control_id))
        return out_of_bounds("source or control id is not 1 to 64 of [A-Za-z0-9._:-]");
    if (!is_writable(reading.received) ||
        (reading.device_time && !is_writable(*reading.device_time)))
        return out_of_bounds("a time is outside the years 0 to 9999");
    if (reading.device_clock > DeviceClock::disagrees ||
        reading.device_time.has_value() != (reading.device_clock != DeviceClock::none))
        return out_of_bounds("a device time without how sure it is, or the other way round");
    if (!reading.subject.empty() && !is_subject(reading.subject))
        return out_of_bounds("a subject is not 22 of [A-Za-z0-9_-]");
    if (reading.clock > base::ClockState::implausible)
        return out_of_bounds("unknown clock state");
    if (reading.observations.size() > max_observations || reading.waveforms.size() > max_waveforms)
        return out_of_bounds("too many observations or waveforms");
    if (reading.observations.empty() && reading.waveforms.empty())
        return out_of_bounds("neither observations nor waveforms");
    return {};
}

}  // namespace

Status check(const Reading& reading) {
    MITRAL_CHECK(check_envelope(reading));
    int last_index = -1;
    for (const auto& observation : reading.observations) {
        MITRAL_CHECK(check_naming(observation, last_index));
        MITRAL_CHECK(check_value(observation.value));
    }
    last_index = -1;
    for (const auto& wave : reading.waveforms) {
        MITRAL_CHECK(check_naming(wave, last_index));
        MITRAL_CHECK(check_waveform(wave));
    }
    return {};
}

}  // namespace mitral::clinical
