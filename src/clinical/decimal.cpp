#include "clinical/decimal.hpp"

#include <array>
#include <charconv>

namespace mitral::clinical {
namespace {

constexpr std::int64_t mantissa_bound = 1'000'000'000'000'000'000;  // 10^18, exclusive

bool is_digit(char c) noexcept {
    return c >= '0' && c <= '9';
}

// Walks over a JSON number and gathers its digits.
class NumberScanner {
  public:
    explicit NumberScanner(std::string_view text) noexcept : text_(text) {}

    std::optional<Decimal> scan() noexcept {
        const bool negative = accept('-');
        if (!whole_part() || !fraction_part() || !exponent_part() || position_ != text_.size())
            return std::nullopt;
        return result(negative);
    }

  private:
    bool accept(char c) noexcept {
        if (position_ >= text_.size() || text_[position_] != c)
            return false;
        ++position_;
        return true;
    }
    bool at_digit() const noexcept {
        return position_ < text_.size() && is_digit(text_[position_]);
    }

    // int = zero / ( digit1-9 *DIGIT )
    bool whole_part() noexcept {
        if (!at_digit())
            return false;
        if (accept('0'))
            return !at_digit();
        while (at_digit()) {
            const char digit = text_[position_++];
            if (digits_ < max_decimal_digits && shift_ == 0)
                add(digit);
            else if (digit == '0' && shift_ < max_decimal_exponent)
                ++shift_;  // 10^21 has one significant digit
            else
                return false;
        }
        return true;
    }

    bool fraction_part() noexcept {
        if (!accept('.'))
            return true;
        if (!at_digit() || shift_ != 0)
            return false;
        while (at_digit()) {
            if (digits_ >= max_decimal_digits || shift_ <= -max_decimal_exponent)
                return false;
            add(text_[position_++]);
            --shift_;
        }
        return true;
    }

    bool exponent_part() noexcept {
        if (!accept('e') && !accept('E'))
            return true;
        const bool negative = accept('-');
        if (!negative)
            (void)accept('+');
        if (!at_digit())
            return false;
        int exponent = 0;
        while (at_digit()) {
            exponent = exponent * 10 + (text_[position_++] - '0');
            if (exponent > 2 * max_decimal_exponent)
                return false;
        }
        shift_ += negative ? -exponent : exponent;
        return true;
    }

    void add(char digit) noexcept {
        mantissa_ = mantissa_ * 10 + (digit - '0');
        if (mantissa_ != 0)
            ++digits_;
    }

    std::optional<Decimal> result(bool negative) const noexcept {
        // Zero has no digits to keep in front of the point.
        const int exponent = mantissa_ == 0 && shift_ > 0 ? 0 : shift_;
        if (exponent < -max_decimal_exponent || exponent > max_decimal_exponent)
            return std::nullopt;
        return Decimal{negative ? -mantissa_ : mantissa_, static_cast<std::int8_t>(exponent)};
    }

    std::string_view text_;
    std::size_t position_ = 0;
    std::int64_t mantissa_ = 0;
    int digits_ = 0;  // significant ones in mantissa_
    int shift_ = 0;   // the exponent so far
};

}  // namespace

bool is_valid(Decimal value) noexcept {
    return value.mantissa > -mantissa_bound && value.mantissa < mantissa_bound &&
           value.exponent >= -max_decimal_exponent && value.exponent <= max_decimal_exponent;
}

void append_decimal(Decimal value, std::string& out) {
    std::array<char, 24> buffer;
    // The magnitude is unsigned: the most negative mantissa has no positive twin.
    const auto bits = static_cast<std::uint64_t>(value.mantissa);
    const std::uint64_t magnitude = value.mantissa < 0 ? 0 - bits : bits;
    const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), magnitude).ptr;
    const std::string_view digits(buffer.data(), static_cast<std::size_t>(end - buffer.data()));

    if (value.mantissa < 0)
        out.push_back('-');
    if (value.exponent >= 0) {
        out.append(digits);
        if (magnitude != 0)
            out.append(static_cast<std::size_t>(value.exponent), '0');
        return;
    }
    const auto places = static_cast<std::size_t>(-value.exponent);
    if (digits.size() > places) {
        out.append(digits.substr(0, digits.size() - places)).push_back('.');
        out.append(digits.substr(digits.size() - places));
        return;
    }
    out.append("0.").append(places - digits.size(), '0').append(digits);
}

std::string to_string(Decimal value) {
    std::string text;
    append_decimal(value, text);
    return text;
}

std::optional<Decimal> parse_decimal(std::string_view text) noexcept {
    return NumberScanner(text).scan();
}

}  // namespace mitral::clinical
