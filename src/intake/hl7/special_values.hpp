// Numbers that are no measurement: what monitors write for "no value" where it cannot be one. What
// could be real stays a value unless a dialect says otherwise. No I/O.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "clinical/codes.hpp"
#include "clinical/decimal.hpp"
#include "clinical/observation.hpp"
#include "intake/hl7/parameter.hpp"

namespace mitral::intake::hl7 {

// What the dialect says this text stands for; nullopt: for what it is.
[[nodiscard]] std::optional<clinical::Absent> said_absent(std::string_view text,
                                                          const Dialect* dialect,
                                                          const DialectCode* code) noexcept;

enum class Plausibility : std::uint8_t {
    measured,
    no_value,    // `reason` says why
    impossible,  // neither a measurement nor a known way to say that there is none
};
struct Judgement {
    Plausibility plausibility = Plausibility::measured;
    clinical::Absent reason = clinical::Absent::unknown;
};

[[nodiscard]] Judgement judge(clinical::Decimal value, const Parameter& parameter,
                              const Dialect* dialect) noexcept;

// 32-bit samples that are none: 32767, -32768 and the special values of FLOAT (ISO/IEEE 11073-20601
// §F.7).
[[nodiscard]] bool is_special_sample(std::int32_t sample) noexcept;

}  // namespace mitral::intake::hl7
