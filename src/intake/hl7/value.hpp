// What OBX-5 says: a number, or why there is none. No I/O.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string_view>
#include <variant>

#include "clinical/decimal.hpp"
#include "clinical/observation.hpp"
#include "intake/hl7/not_understood.hpp"
#include "intake/hl7/observation_row.hpp"
#include "intake/hl7/parameter.hpp"

namespace mitral::intake::hl7 {

using Value = std::variant<clinical::Decimal, clinical::Absent>;

// Why something was kept out: what counts it, and in words (ours, static).
struct KeptOut {
    std::uint64_t NotUnderstood::* counter;
    std::string_view why;
};

// Why the samples of a waveform do not count, if OBX-8 or OBX-11 says so.
[[nodiscard]] std::optional<KeptOut> disclaimed(const ObservationRow& row);

// Not for waveforms.
[[nodiscard]] std::expected<Value, KeptOut> read_value(const ObservationRow& row,
                                                       const Parameter& parameter,
                                                       const Dialect* dialect);

}  // namespace mitral::intake::hl7
