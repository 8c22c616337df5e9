#include "intake/store/fingerprint.hpp"

#include <variant>

#include "base/crypto.hpp"

namespace mitral::intake {
namespace {

// Sets and lists begin with their size, choices with their kind: no two readings give the same
// words.
void absorb(KeyedHash& hash, clinical::Decimal value) noexcept {
    hash.absorb(static_cast<std::uint64_t>(value.mantissa));
    hash.absorb(static_cast<std::uint64_t>(value.exponent));
}

void absorb(KeyedHash& hash, const clinical::Observation& observation) noexcept {
    hash.absorb(observation.index);
    hash.absorb(observation.code);
    hash.absorb(observation.unit);
    hash.absorb(observation.value.index());
    if (const auto* value = std::get_if<clinical::Decimal>(&observation.value))
        absorb(hash, *value);
    else if (const auto* reason = std::get_if<clinical::Absent>(&observation.value))
        hash.absorb(static_cast<std::uint64_t>(*reason));
}

void absorb(KeyedHash& hash, const clinical::Waveform& waveform) noexcept {
    hash.absorb(waveform.index);
    hash.absorb(waveform.code);
    hash.absorb(waveform.unit);
    absorb(hash, waveform.rate);
    absorb(hash, waveform.scale);
    hash.absorb(std::string_view(reinterpret_cast<const char*>(waveform.samples.data()),
                                 waveform.samples.size() * sizeof(std::int32_t)));
}

}  // namespace

Fingerprints::Fingerprints() : key_{base::random_u64(), base::random_u64()} {}

Fingerprint Fingerprints::of(const clinical::Reading& reading) const noexcept {
    KeyedHash id(key_);
    id.absorb(reading.control_id);
    KeyedHash content(key_);
    content.absorb(std::uint64_t{reading.device_time.has_value()});
    if (reading.device_time)
        content.absorb(static_cast<std::uint64_t>(reading.device_time->ms));
    content.absorb(reading.observations.size());
    for (const auto& observation : reading.observations)
        absorb(content, observation);
    content.absorb(reading.waveforms.size());
    for (const auto& waveform : reading.waveforms)
        absorb(content, waveform);
    return {id.finish(), content.finish()};
}

}  // namespace mitral::intake
