#include "clinical/delta.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <random>
#include <vector>

#include "support/proves.hpp"

namespace mitral::clinical {
namespace {

using Samples = std::vector<std::int32_t>;
constexpr auto lowest = std::numeric_limits<std::int32_t>::min();
constexpr auto highest = std::numeric_limits<std::int32_t>::max();

base::Bytes encode(const Samples& samples) {
    base::Bytes bytes;
    append_deltas(samples, bytes);
    return bytes;
}

TEST(Deltas, MatchKnownBytes) {
    EXPECT_EQ(encode({-26, -18, 13, 55}), (base::Bytes{0x33, 0x10, 0x3E, 0x54}));
    EXPECT_EQ(encode({150}), (base::Bytes{0xAC, 0x02}));
    EXPECT_EQ(encode({}), base::Bytes{});
}

TEST(Deltas, CarryEverySample) {
    MITRAL_PROVES("T-DATA-02");
    std::mt19937_64 random(3);
    for (int round = 0; round < 2000; ++round) {
        Samples samples{lowest, highest, lowest, 0};
        const auto width = round % 32;
        for (int i = 0; i < 50; ++i)
            samples.push_back(static_cast<std::int32_t>(random()) >> width);
        Samples decoded;
        ASSERT_TRUE(decode_deltas(encode(samples), samples.size(), decoded));
        ASSERT_EQ(decoded, samples);
    }
}

TEST(Deltas, RefuseEveryTruncationAndTail) {
    MITRAL_PROVES("T-SW-04");
    const Samples samples{5, -70000, highest, 0, 1};
    const auto bytes = encode(samples);
    Samples decoded;
    for (std::size_t size = 0; size < bytes.size(); ++size)
        EXPECT_FALSE(decode_deltas(base::ByteView(bytes).first(size), samples.size(), decoded));
    auto longer = bytes;
    longer.push_back(0);
    EXPECT_FALSE(decode_deltas(longer, samples.size(), decoded));
    EXPECT_FALSE(decode_deltas(bytes, samples.size() - 1, decoded));
    EXPECT_FALSE(decode_deltas(bytes, samples.size() + 1, decoded));
}

TEST(Deltas, RefuseOverflowAndPadding) {
    MITRAL_PROVES("T-SW-04");
    Samples decoded;
    const base::Bytes too_high{0xFE, 0xFF, 0xFF, 0xFF, 0x0F, 0x02};  // highest, then one more
    EXPECT_FALSE(decode_deltas(too_high, 2, decoded));
    const base::Bytes padded{0x80, 0x00};  // zero in two bytes
    EXPECT_FALSE(decode_deltas(padded, 1, decoded));
    const base::Bytes endless{0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};
    EXPECT_FALSE(decode_deltas(endless, 1, decoded));
    EXPECT_FALSE(decode_deltas({}, std::numeric_limits<std::size_t>::max(), decoded));
}

}  // namespace
}  // namespace mitral::clinical
