// Exact decimal numbers: what a sensor printed is what the cloud reads, digit for digit.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace mitral::clinical {

// mantissa × 10^exponent, exactly as measured: 36.80 is not 36.8, and neither is a double.
struct Decimal {
    std::int64_t mantissa = 0;
    std::int8_t exponent = 0;  // −18 … 18
    bool operator==(const Decimal&) const = default;
};

constexpr int max_decimal_digits = 18;    // of the mantissa
constexpr int max_decimal_exponent = 18;  // either way

// Within both bounds; what comes from outside is checked with it.
[[nodiscard]] bool is_valid(Decimal value) noexcept;

// "36.80"; never an exponent in the text, no leading '+', no "-0".
[[nodiscard]] std::string to_string(Decimal value);
void append_decimal(Decimal value, std::string& out);

// A JSON number (RFC 8259 §6) or the same in text; digits are kept, at most 18 significant ones
// (the zeros that end a whole number do not count). A number beyond the bounds is refused, never
// rounded.
[[nodiscard]] std::optional<Decimal> parse_decimal(std::string_view text) noexcept;

}  // namespace mitral::clinical
