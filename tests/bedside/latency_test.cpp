#include "bedside/latency.hpp"

#include <gtest/gtest.h>

namespace mitral::bedside {
namespace {

TEST(Latency, SaysNothingOfNothing) {
    const Latencies none;
    EXPECT_EQ(none.percentile(0.99), 0);
    EXPECT_EQ(none.max(), 0);
}

TEST(Latency, KeepsSmallOnesExactly) {
    Latencies latencies;
    for (int us = 1; us <= 100; ++us)
        latencies.add(us);
    EXPECT_DOUBLE_EQ(latencies.percentile(0.50), 0.050);
    EXPECT_DOUBLE_EQ(latencies.percentile(0.99), 0.099);
    EXPECT_DOUBLE_EQ(latencies.max(), 0.100);
}

TEST(Latency, IsNeverTooLowAndAtMostASixtyFourthTooHigh) {
    for (const std::int64_t us : {127, 128, 129, 1'000, 65'535, 65'536, 1'234'567, 40'000'000}) {
        Latencies latencies;
        latencies.add(us);
        latencies.add(60'000'000);  // so that the maximum does not answer
        const double exact = static_cast<double>(us) / 1000;
        EXPECT_GE(latencies.percentile(0.5), exact) << us;
        EXPECT_LE(latencies.percentile(0.5), exact * (1 + 1.0 / 64)) << us;
    }
}

TEST(Latency, TakesWhatCannotBe) {
    Latencies latencies;
    latencies.add(-5);
    latencies.add(std::int64_t{1} << 60);
    EXPECT_EQ(latencies.count(), 2U);
    EXPECT_EQ(latencies.percentile(0.1), 0);
}

}  // namespace
}  // namespace mitral::bedside
