// Numbers as monitors write them. No I/O.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "clinical/decimal.hpp"

namespace mitral::intake::hl7 {

// Without spaces around it: many senders pad.
[[nodiscard]] std::string_view trimmed(std::string_view text) noexcept;

// NM (HL7 v2.6 §2.A.47), digits kept as sent: "36.80", "+72", "072", ".5", "72.". nullopt: not a
// number, or beyond the bounds of clinical::Decimal, never rounded.
[[nodiscard]] std::optional<clinical::Decimal> parse_number(std::string_view text) noexcept;

// A code: digits only, fits 32 bits.
[[nodiscard]] std::optional<std::uint32_t> parse_code_number(std::string_view text) noexcept;

// Whether both are the same number: 1.0 and 1.
[[nodiscard]] bool same_number(clinical::Decimal a, clinical::Decimal b) noexcept;

// a × b, exactly; nullopt: beyond the bounds.
[[nodiscard]] std::optional<clinical::Decimal> product(clinical::Decimal a,
                                                       clinical::Decimal b) noexcept;

}  // namespace mitral::intake::hl7
