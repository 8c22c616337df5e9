#include "intake/hl7/number.hpp"

#include <gtest/gtest.h>

namespace mitral::intake::hl7 {
namespace {

using clinical::Decimal;

TEST(NumberTest, DigitsAreKeptAsSent) {
    const std::vector<std::pair<const char*, Decimal>> numbers{
        {"72", {72, 0}},      {"36.80", {3680, -2}}, {"-0.5", {-5, -1}},  {"+72", {72, 0}},
        {"072", {72, 0}},     {".5", {5, -1}},       {"-.50", {-50, -2}}, {"72.", {72, 0}},
        {" 72 ", {72, 0}},    {"000", {0, 0}},       {"0.0", {0, -1}},    {"1.0E-4", {10, -5}},
        {"0098.6", {986, -1}}};
    for (const auto& [text, number] : numbers)
        EXPECT_EQ(parse_number(text), number) << text;
}

TEST(NumberTest, WhatIsNoNumberIsNone) {
    for (const auto* text :
         {"", " ", "-", "+", ".", "--", "1,5", "1 5", "0x10", "72bpm", "1.2.3", "+-5", "-+5", "--5",
          "NaN", "1e", "1e99", "+.", "12345678901234567890"})
        EXPECT_FALSE(parse_number(text)) << text;
}

TEST(NumberTest, SameNumberWhateverTheDigits) {
    EXPECT_TRUE(same_number({10, -1}, {1, 0}));
    EXPECT_TRUE(same_number({0, -5}, {0, 3}));
    EXPECT_TRUE(same_number({-999, -1}, {-99900, -3}));
    EXPECT_FALSE(same_number({10, 0}, {1, 0}));
    EXPECT_FALSE(same_number({-1, 0}, {1, 0}));
}

TEST(NumberTest, ProductsAreExactOrNone) {
    EXPECT_EQ(product({244, -2}, {1, -3}), (Decimal{244, -5}));
    EXPECT_EQ(product({5, 0}, {2, 0}), (Decimal{10, 0}));
    EXPECT_FALSE(product({999'999'999'999'999'999, 0}, {999'999'999'999'999'999, 0}));
    EXPECT_FALSE(product({1, -18}, {1, -1}));
}

TEST(NumberTest, CodesAreDigitsOfThirtyTwoBits) {
    EXPECT_EQ(parse_code_number("147842"), 147842U);
    EXPECT_EQ(parse_code_number("0"), 0U);
    for (const auto* text : {"", "-1", "+1", " 1", "1a", "4294967296", "147842.0"})
        EXPECT_FALSE(parse_code_number(text)) << text;
}

}  // namespace
}  // namespace mitral::intake::hl7
