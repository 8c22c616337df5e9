#include "clinical/decimal.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <utility>

#include "support/proves.hpp"

namespace mitral::clinical {
namespace {

TEST(Decimal, KeepsTheDigitsItWasGiven) {
    MITRAL_PROVES("T-DATA-05");
    for (const char* text : {"0", "36.8", "36.80", "62.8", "-0.5", "0.0055", "100", "0.00", "-1",
                             "0.000000000000000001", "123456789012345678", "0.123456789012345678",
                             "999999999999999999"}) {
        const auto value = parse_decimal(text);
        ASSERT_TRUE(value) << text;
        EXPECT_EQ(to_string(*value), text);
    }
    EXPECT_EQ(parse_decimal("36.80"), (Decimal{3680, -2}));
    EXPECT_NE(parse_decimal("36.80"), parse_decimal("36.8"));
}

TEST(Decimal, WritesExponentsOut) {
    const std::pair<const char*, const char*> cases[] = {
        {"1e3", "1000"},
        {"1E-5", "0.00001"},
        {"1.5e+2", "150"},
        {"12.50e1", "125.0"},
        {"-0", "0"},
        {"-0.0", "0.0"},
        {"0e5", "0"},
        {"-2.5e-3", "-0.0025"},
        {"1e18", "1000000000000000000"},
        {"1e-18", "0.000000000000000001"},
        {"100000000000000000000", "100000000000000000000"}};
    for (const auto& [text, expected] : cases) {
        const auto value = parse_decimal(text);
        ASSERT_TRUE(value) << text;
        EXPECT_EQ(to_string(*value), expected) << text;
    }
}

TEST(Decimal, RefusesWhatIsNoJsonNumber) {
    MITRAL_PROVES("T-SW-01", "T-DATA-05");
    for (const char* text :
         {"",    "-",  "+1", ".5",    "5.",   "01",   "-01",      "00",    "1e",
          "1e+", "1 ", " 1", "1,5",   "0x10", "NaN",  "Infinity", "1.2.3", "1e1.5",
          "--1", "1-", "e5", "1_000", "-.5",  "1.e2", "٣"})
        EXPECT_FALSE(parse_decimal(text)) << text;
    EXPECT_FALSE(parse_decimal(std::string_view("1\0", 2)));
}

TEST(Decimal, RefusesRatherThanRounds) {
    MITRAL_PROVES("T-DATA-05");
    for (const char* text :
         {"1234567890123456789", "0.1234567890123456789", "1.000000000000000000", "1e19", "1e-19",
          "9999999999999999990.5", "1000000000000000000.0", "1e99999999999999999999",
          "1e-99999999999999999999", "0.0000000000000000001", "1000000000000000000001"})
        EXPECT_FALSE(parse_decimal(text)) << text;
}

// Compares two decimals by value, without rounding: mantissa digits with the exponent's zeros.
bool same_value(Decimal a, Decimal b) {
    return to_string(a) == to_string(b);
}

TEST(Decimal, EveryValidValueSurvivesItsText) {
    MITRAL_PROVES("T-DATA-05");
    std::mt19937_64 random(1);
    std::uniform_int_distribution<std::int64_t> mantissas(-999'999'999'999'999'999,
                                                          999'999'999'999'999'999);
    std::uniform_int_distribution<int> exponents(-18, 18);
    std::uniform_int_distribution<int> shifts(0, 59);
    for (int i = 0; i < 200'000; ++i) {
        const Decimal value{mantissas(random) >> shifts(random),
                            static_cast<std::int8_t>(exponents(random))};
        ASSERT_TRUE(is_valid(value));
        const auto text = to_string(value);
        const auto parsed = parse_decimal(text);
        ASSERT_TRUE(parsed) << text;
        ASSERT_TRUE(same_value(*parsed, value)) << text;
        // Digits behind the point are kept, so there the representation is the same, too.
        if (value.exponent <= 0) {
            ASSERT_EQ(*parsed, value) << text;
        }
        ASSERT_EQ(text.find_first_of("eE+"), std::string::npos);
    }
}

TEST(Decimal, GarbageNeverGivesAnInvalidValue) {
    MITRAL_PROVES("T-SW-01");
    std::mt19937_64 random(2);
    constexpr std::string_view letters = "0123456789+-.eE0000";
    std::uniform_int_distribution<std::size_t> pick(0, letters.size() - 1);
    std::uniform_int_distribution<std::size_t> lengths(0, 24);
    for (int i = 0; i < 200'000; ++i) {
        std::string text(lengths(random), '0');
        for (auto& c : text)
            c = letters[pick(random)];
        if (const auto value = parse_decimal(text)) {
            ASSERT_TRUE(is_valid(*value)) << text;
        }
    }
}

TEST(Decimal, PrintsTheExtremesOfItsType) {
    EXPECT_EQ(to_string({std::numeric_limits<std::int64_t>::min(), -1}), "-922337203685477580.8");
    EXPECT_FALSE(is_valid({std::numeric_limits<std::int64_t>::min(), 0}));
    EXPECT_FALSE(is_valid({1, 19}));
    EXPECT_FALSE(is_valid({1, -19}));
}

}  // namespace
}  // namespace mitral::clinical
