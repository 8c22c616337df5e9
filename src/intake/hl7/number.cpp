#include "intake/hl7/number.hpp"

#include <array>
#include <charconv>

namespace mitral::intake::hl7 {
namespace {

constexpr std::size_t longest_number = 48;

bool is_digit(char c) noexcept {
    return c >= '0' && c <= '9';
}

// As JSON has it: no plus, no zeros in front, digits on both sides of the point.
std::string_view to_json_number(std::string_view text,
                                std::array<char, longest_number + 2>& buffer) noexcept {
    std::size_t length = 0;
    if (text.starts_with('+') || text.starts_with('-')) {
        if (text.front() == '-')
            buffer[length++] = '-';
        text.remove_prefix(1);
        if (text.starts_with('-'))
            return {};
    }
    const bool begins_with_digit = !text.empty() && is_digit(text.front());
    while (text.size() > 1 && text[0] == '0' && is_digit(text[1]))
        text.remove_prefix(1);
    if (begins_with_digit && text.ends_with('.'))
        text.remove_suffix(1);
    if (text.starts_with('.'))
        buffer[length++] = '0';
    for (const char c : text)
        buffer[length++] = c;
    return {buffer.data(), length};
}

struct Normal {
    std::int64_t mantissa;
    int exponent;
};

// Without zeros at the end.
Normal normal(clinical::Decimal value) noexcept {
    Normal out{value.mantissa, value.exponent};
    if (out.mantissa == 0)
        return {0, 0};
    while (out.mantissa % 10 == 0) {
        out.mantissa /= 10;
        ++out.exponent;
    }
    return out;
}

}  // namespace

std::string_view trimmed(std::string_view text) noexcept {
    while (text.starts_with(' '))
        text.remove_prefix(1);
    while (text.ends_with(' '))
        text.remove_suffix(1);
    return text;
}

std::optional<clinical::Decimal> parse_number(std::string_view text) noexcept {
    text = trimmed(text);
    if (const auto plain = clinical::parse_decimal(text))
        return plain;
    if (text.empty() || text.size() > longest_number)
        return std::nullopt;
    std::array<char, longest_number + 2> buffer;
    return clinical::parse_decimal(to_json_number(text, buffer));
}

std::optional<std::uint32_t> parse_code_number(std::string_view text) noexcept {
    std::uint32_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size())
        return std::nullopt;
    return number;
}

bool same_number(clinical::Decimal a, clinical::Decimal b) noexcept {
    const auto left = normal(a);
    const auto right = normal(b);
    return left.mantissa == right.mantissa && left.exponent == right.exponent;
}

std::optional<clinical::Decimal> product(clinical::Decimal a, clinical::Decimal b) noexcept {
    const auto left = normal(a);
    const auto right = normal(b);
    std::int64_t mantissa = 0;
    const int exponent = left.exponent + right.exponent;
    if (__builtin_mul_overflow(left.mantissa, right.mantissa, &mantissa) ||
        exponent < -clinical::max_decimal_exponent || exponent > clinical::max_decimal_exponent)
        return std::nullopt;
    const clinical::Decimal out{mantissa, static_cast<std::int8_t>(exponent)};
    return clinical::is_valid(out) ? std::optional(out) : std::nullopt;
}

}  // namespace mitral::intake::hl7
