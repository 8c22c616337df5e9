#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <deque>
#include <random>

#include "support/proves.hpp"
#include "uplink/histogram.hpp"
#include "uplink/pacer.hpp"
#include "uplink/reconnect.hpp"
#include "uplink/renewal.hpp"

namespace mitral::uplink {
namespace {

using base::Milliseconds;

class ReconnectTest : public testing::Test {
  protected:
    // Attempts in an hour when each one fails as `fail` says; returns their number.
    template <typename Fail>
    int attempts_per_hour(std::uint64_t seed, Fail fail) {
        std::mt19937_64 random(seed);
        ReconnectPolicy policy({}, [&random] { return random(); });
        base::ManualClock clock(base::WallTime{0});
        const auto start = clock.monotonic();
        int attempts = 0;
        while (clock.monotonic() - start < Milliseconds(3'600'000)) {
            ++attempts;
            clock.advance(fail(policy, attempts));
        }
        return attempts;
    }
};

TEST_F(ReconnectTest, AHubThatIsAwayIsNotStormed) {
    MITRAL_PROVES("T-DOS-03");
    for (std::uint64_t seed = 0; seed < 200; ++seed) {
        const int attempts = attempts_per_hour(seed, [](ReconnectPolicy& policy, int) {
            return policy.failed(FailureKind::unreachable);
        });
        EXPECT_LT(attempts, 250);  // 2 a minute at the ceiling, by its mean
        EXPECT_GT(attempts, 60);   // and it is tried all the same
    }
}

TEST_F(ReconnectTest, QuotaModeIsNotALoop) {
    MITRAL_PROVES("T-DOS-03");
    // CONNECT is accepted, every PUBLISH closes the socket at once.
    for (std::uint64_t seed = 0; seed < 200; ++seed) {
        const int attempts = attempts_per_hour(seed, [](ReconnectPolicy& policy, int) {
            policy.ended(Milliseconds(50), true, true);
            return policy.failed(FailureKind::unreachable);
        });
        EXPECT_LT(attempts, 250);
    }
}

TEST_F(ReconnectTest, QuotaModeWithLongConnectionsIsNoStableConnection) {
    MITRAL_PROVES("T-DOS-03");
    std::mt19937_64 random(1);
    ReconnectPolicy policy({}, [&random] { return random(); });
    for (int i = 0; i < 8; ++i) {
        policy.ended(Milliseconds(40'000), true, true);
        (void)policy.failed(FailureKind::unreachable);
    }
    EXPECT_EQ(policy.consecutive_failures(), 8U);
}

TEST_F(ReconnectTest, RefusedCredentialsSlowDown) {
    MITRAL_PROVES("T-DOS-03", "T-TOK-04");
    const int attempts = attempts_per_hour(
        3, [](ReconnectPolicy& policy, int) { return policy.failed(FailureKind::authentication); });
    EXPECT_LT(attempts, 80);
}

TEST_F(ReconnectTest, AlternatingRefusalsSlowDownToo) {
    MITRAL_PROVES("T-DOS-03");
    const int attempts = attempts_per_hour(3, [](ReconnectPolicy& policy, int attempt) {
        return policy.failed(attempt % 2 == 0 ? FailureKind::throttled
                                              : FailureKind::authentication);
    });
    EXPECT_LT(attempts, 80);
}

TEST_F(ReconnectTest, AStableConnectionStartsAfresh) {
    std::mt19937_64 random(1);
    ReconnectPolicy policy({}, [&random] { return random(); });
    for (int i = 0; i < 12; ++i)
        (void)policy.failed(FailureKind::unreachable);
    EXPECT_TRUE(policy.take_reassign_hint());
    EXPECT_FALSE(policy.take_reassign_hint());  // once
    policy.ended(Milliseconds(31'000), false, true);
    EXPECT_EQ(policy.consecutive_failures(), 0U);
    EXPECT_LE(policy.failed(FailureKind::unreachable), Milliseconds(1'000));
}

TEST_F(ReconnectTest, ARefusalNowAndThenIsNoRefusedDevice) {
    MITRAL_PROVES("T-DOS-03");
    std::mt19937_64 random(1);
    ReconnectPolicy policy({}, [&random] { return random(); });
    Milliseconds longest{0};
    for (int i = 0; i < 20; ++i) {
        longest = std::max(longest, policy.failed(FailureKind::authentication));
        policy.ended(Milliseconds(5'000), false, true);  // the next attempt came through
        longest = std::max(longest, policy.failed(FailureKind::unreachable));
    }
    EXPECT_LE(longest, Milliseconds(60'000));
    const int attempts = attempts_per_hour(2, [](ReconnectPolicy& flapping, int attempt) {
        if (attempt % 2 == 0)
            return flapping.failed(FailureKind::authentication);
        flapping.ended(Milliseconds(50), false, true);
        return flapping.failed(FailureKind::unreachable);
    });
    EXPECT_LT(attempts, 250);
}

TEST_F(ReconnectTest, AFleetDoesNotComeBackInStep) {
    MITRAL_PROVES("T-DOS-03");
    std::vector<Milliseconds> delays;
    for (std::uint64_t seed = 0; seed < 1'000; ++seed) {
        std::mt19937_64 random(seed);
        ReconnectPolicy policy({}, [&random] { return random(); });
        for (int i = 0; i < 9; ++i)
            (void)policy.failed(FailureKind::unreachable);
        delays.push_back(policy.failed(FailureKind::unreachable));
    }
    // Spread over the minute: no second holds more than a twentieth of the units.
    std::array<int, 61> seconds{};
    for (const auto delay : delays)
        ++seconds.at(static_cast<std::size_t>(delay.count() / 1000));
    EXPECT_LT(*std::ranges::max_element(seconds), 50);
}

TEST_F(ReconnectTest, ThrottledMeansLater) {
    ReconnectPolicy policy({}, [] { return 0; });
    EXPECT_GE(policy.failed(FailureKind::throttled), Milliseconds(1'600));
}

TEST(Renewal, LiesBetweenThreeQuartersAndEightyFivePercent) {
    MITRAL_PROVES("T-TOK-01");
    std::mt19937_64 random(5);
    Milliseconds least = Milliseconds::max();
    Milliseconds most{0};
    for (int i = 0; i < 10'000; ++i) {
        const auto delay = renewal_delay(Milliseconds(3'600'000), random());
        least = std::min(least, delay);
        most = std::max(most, delay);
    }
    EXPECT_GE(least, Milliseconds(2'700'000));
    EXPECT_LE(most, Milliseconds(3'060'000));
    EXPECT_GT(most - least, Milliseconds(300'000));
}

TEST(Renewal, TheTrustZoneMayGrantLess) {
    const base::WallTime now{1'000'000'000};
    EXPECT_EQ(usable_lifetime(Milliseconds(3'600'000), 1'000'600, now), Milliseconds(600'000));
    EXPECT_EQ(usable_lifetime(Milliseconds(3'600'000), 1'003'600, now), Milliseconds(3'600'000));
    EXPECT_EQ(usable_lifetime(Milliseconds(3'600'000), 999'000, now), Milliseconds(3'600'000));
}

TEST(Pacer, HoldsTheRateAndBoundsTheBurst) {
    MITRAL_PROVES("T-DOS-03");
    base::ManualClock clock(base::WallTime{0});
    Pacer pacer(80);
    int sent = 0;
    for (int ms = 0; ms < 10'000; ++ms) {
        while (pacer.take(clock.monotonic()))
            ++sent;
        clock.advance(Milliseconds(1));
    }
    EXPECT_GE(sent, 795);
    EXPECT_LE(sent, 825);
    EXPECT_GT(pacer.next(clock.monotonic()).ns, clock.monotonic().ns - 13'000'000);
}

// 80/s by default, and 100/s is what an S1 hub takes.
TEST(Pacer, InNoSecondGoesMoreThanTheRateAndAQuarter) {
    MITRAL_PROVES("T-DOS-03");
    std::mt19937_64 random(7);
    base::ManualClock clock(base::WallTime{0});
    Pacer pacer(80);
    std::deque<base::MonotonicTime> sent;
    std::size_t most = 0;
    for (int ms = 0; ms < 60'000; ++ms) {
        const bool quiet = ms / 500 % 2 == 0;  // lets the credit grow
        const bool urgent = random() % 4 == 0;
        while (!quiet && pacer.take(clock.monotonic(), urgent))
            sent.push_back(clock.monotonic());
        while (!sent.empty() && clock.monotonic() - sent.front() >= Milliseconds(1'000))
            sent.pop_front();
        most = std::max(most, sent.size());
        clock.advance(Milliseconds(1));
    }
    EXPECT_LE(most, 100U);
    EXPECT_GT(most, 50U);
}

TEST(Pacer, UrgentMessagesDoNotWaitUntilTheirShareIsSpent) {
    MITRAL_PROVES("T-DOS-03");
    Pacer pacer(80);
    const base::MonotonicTime now{1'000'000'000};
    while (pacer.take(now)) {
    }
    int urgent = 0;
    while (pacer.take(now, true))
        ++urgent;
    EXPECT_EQ(urgent, 10);
    EXPECT_LT(pacer.next(now, true), pacer.next(now, false));
}

TEST(Pacer, ZeroIsNoLimit) {
    Pacer pacer(0);
    for (int i = 0; i < 100'000; ++i)
        ASSERT_TRUE(pacer.take({0}));
}

TEST(Histogram, QuantilesLieWithinABucket) {
    Histogram histogram;
    EXPECT_EQ(histogram.quantile(0.5), 0);
    for (int i = 1; i <= 1'000; ++i)
        histogram.add(i * 100);
    EXPECT_NEAR(static_cast<double>(histogram.quantile(0.5)), 50'000, 10'000);
    EXPECT_NEAR(static_cast<double>(histogram.quantile(0.99)), 99'000, 20'000);
    histogram.add(-5);
    histogram.add(INT64_MAX);
    EXPECT_EQ(histogram.count(), 1'002U);
}

}  // namespace
}  // namespace mitral::uplink
