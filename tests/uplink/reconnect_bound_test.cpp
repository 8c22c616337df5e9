// How often an hour and a day may see a new connection, whatever fails. docs/configuration.md
// states these numbers.
#include <gtest/gtest.h>

#include <random>

#include "support/proves.hpp"
#include "uplink/reconnect.hpp"

namespace mitral::uplink {
namespace {

using base::Milliseconds;

constexpr Milliseconds hour{3'600'000};
constexpr Milliseconds day = 24 * hour;

struct Bound {
    FailureKind kind;
    int in_an_hour;  // with the worst luck
    int in_a_day;
    int usual;  // in an hour, on average
};
// Pauses double from a tenth of a second to a tenth of a minute; to half a minute after repeated
// refusals of the credentials.
constexpr Bound bounds[] = {
    {FailureKind::unreachable, 606, 14'406, 120},
    {FailureKind::violation, 606, 14'406, 120},
    {FailureKind::throttled, 605, 14'405, 120},
    {FailureKind::authentication, 128, 2'888, 30},
};

// Connections that each live for `lasted` and then fail.
struct Life {
    FailureKind kind = FailureKind::unreachable;
    Milliseconds lasted{0};
    bool acknowledged = false;
};

// Stops at `enough`: a policy without patience would never get through the time.
int attempts(ReconnectPolicy& policy, Milliseconds time, Life life, int enough) {
    Milliseconds now{0};
    int count = 0;
    while (now < time && count < enough) {
        ++count;
        now += life.lasted;
        if (life.lasted > Milliseconds(0))
            policy.ended(life.lasted, !life.acknowledged, true);
        now += policy.failed(life.kind);
    }
    return count;
}

int with_worst_luck(Milliseconds time, Life life, ReconnectOptions options = {}) {
    ReconnectPolicy policy(options, [] { return 0; });
    return attempts(policy, time, life, 1'000'000);
}

TEST(ReconnectBound, HoldsForAnHourAndADayOfEachKindOfFailure) {
    MITRAL_PROVES("T-DOS-03");
    for (const auto& bound : bounds) {
        EXPECT_LE(with_worst_luck(hour, {.kind = bound.kind}), bound.in_an_hour);
        EXPECT_LE(with_worst_luck(day, {.kind = bound.kind}), bound.in_a_day);
        EXPECT_GE(with_worst_luck(day, {.kind = bound.kind}), bound.in_a_day * 99 / 100)
            << "the documented number is not the bound";
    }
}

TEST(ReconnectBound, IsFarAboveWhatIsUsual) {
    MITRAL_PROVES("T-DOS-03");
    constexpr int seeds = 500;
    for (const auto& bound : bounds) {
        int all = 0;
        for (std::uint64_t seed = 0; seed < seeds; ++seed) {
            std::mt19937_64 random(seed);
            ReconnectPolicy policy({}, [&random] { return random(); });
            const int count = attempts(policy, hour, {.kind = bound.kind}, 1'000'000);
            EXPECT_LE(count, bound.in_an_hour);
            all += count;
        }
        EXPECT_LE(all / seeds, bound.usual);
        EXPECT_GE(all / seeds, bound.usual * 9 / 10);
    }
}

// A used-up quota, throttling, a thief with the same identity: connections come up and are lost.
TEST(ReconnectBound, HoldsForConnectionsThatComeUpAndAreLost) {
    MITRAL_PROVES("T-DOS-03", "T-ID-02");
    for (const auto lasted : {1, 50, 1'000, 10'000, 29'999, 30'000, 31'000})
        for (const bool acknowledged : {false, true}) {
            const Life life{FailureKind::unreachable, Milliseconds(lasted), acknowledged};
            EXPECT_LE(with_worst_luck(hour, life), 606) << lasted << acknowledged;
            EXPECT_LE(with_worst_luck(day, life), 14'406) << lasted << acknowledged;
        }
    // Just stable enough to start afresh each time.
    EXPECT_LE(with_worst_luck(hour, {FailureKind::unreachable, Milliseconds(30'000), true}), 120);
}

TEST(ReconnectBound, APolicyWithoutPatienceBreaksIt) {
    const ReconnectOptions hasty{.first = Milliseconds(0), .ceiling = Milliseconds(0)};
    EXPECT_GT(with_worst_luck(hour, {}, hasty), 606);
    const ReconnectOptions low{.ceiling = Milliseconds(1'000)};
    EXPECT_GT(with_worst_luck(hour, {}, low), 606);
}

}  // namespace
}  // namespace mitral::uplink
