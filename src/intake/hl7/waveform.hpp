// Samples and what is known of them, as waveforms. No I/O.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <vector>

#include "clinical/observation.hpp"
#include "intake/hl7/device_time.hpp"
#include "intake/hl7/parameter.hpp"
#include "intake/hl7/samples.hpp"
#include "intake/hl7/value.hpp"
#include "intake/hl7/wave_facts.hpp"

namespace mitral::intake::hl7 {

struct WavePiece {
    clinical::Waveform wave;
    std::optional<DeviceTime> time;  // of its first sample
};

// When the samples begin.
struct WaveStart {
    std::optional<DeviceTime> time;
    std::size_t samples_later = 0;  // the first sample is so many after `time`
};

// Cut where samples are missing and where a waveform would be too long; the k-th sample of
// `samples` is k / rate after its start, rounded down to the millisecond. KeptOut: no rate, scale
// or unit, or holes without a time that could tell them apart.
[[nodiscard]] std::expected<std::vector<WavePiece>, KeptOut> make_waveforms(
    Samples samples, const WaveFacts& facts, const UnitMatch& unit_of_samples,
    const Parameter& parameter, const WaveStart& start, std::uint16_t index);

// `time` + samples / rate, rounded down to the millisecond; nullopt: beyond what can be written.
[[nodiscard]] std::optional<base::WallTime> after(base::WallTime time, std::size_t samples,
                                                  clinical::Decimal rate) noexcept;

}  // namespace mitral::intake::hl7
