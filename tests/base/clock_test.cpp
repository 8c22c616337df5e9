#include "base/clock.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <random>

#include "support/proves.hpp"

namespace mitral::base {
namespace {

TEST(Clocks, RunAndNeverGoBack) {
    const SystemClock clock;
    for (auto read : {&SystemClock::monotonic, &SystemClock::unsteered}) {
        const auto start = (clock.*read)();
        auto last = start;
        while (last - start < Milliseconds(1)) {
            const auto now = (clock.*read)();
            ASSERT_GE(now, last);
            last = now;
        }
    }
}

TEST(Clocks, ThatAreSteeredLeaveTheUnsteeredAlone) {
    ManualClock clock(WallTime{1'767'225'600'000});
    const auto start = clock.unsteered();
    clock.steer(Seconds(60));
    EXPECT_EQ(clock.unsteered(), start);
    clock.advance(Seconds(60));
    EXPECT_EQ(clock.unsteered() - start, Seconds(60));
}

TEST(Iso8601, PrintsMilliseconds) {
    EXPECT_EQ(to_iso8601({1'767'225'600'000}), "2026-01-01T00:00:00.000Z");
    EXPECT_EQ(to_iso8601({1'767'225'600'007}), "2026-01-01T00:00:00.007Z");
    EXPECT_EQ(to_iso8601({-1}), "1969-12-31T23:59:59.999Z");
}

TEST(Iso8601, CutsATimeThatNoCalendarHas) {
    MITRAL_PROVES("T-SW-04");
    EXPECT_EQ(to_iso8601({INT64_MAX}), "9999-12-31T23:59:59.999Z");
    EXPECT_EQ(to_iso8601({INT64_MIN}), "0000-01-01T00:00:00.000Z");
}

TEST(Iso8601, ReadsZonesAndFractions) {
    EXPECT_EQ(from_iso8601("2026-01-01T00:00:00Z")->ms, 1'767'225'600'000);
    EXPECT_EQ(from_iso8601("2026-01-01T01:00:00+01:00")->ms, 1'767'225'600'000);
    EXPECT_EQ(from_iso8601("2025-12-31T19:00:00-05:00")->ms, 1'767'225'600'000);
    EXPECT_EQ(from_iso8601("2026-01-01T00:00:00.5Z")->ms, 1'767'225'600'500);
    EXPECT_EQ(from_iso8601("2026-01-01T00:00:00.123456789Z")->ms, 1'767'225'600'123);
    EXPECT_EQ(from_iso8601("2024-02-29T00:00:00Z")->ms, 1'709'164'800'000);
}

TEST(Iso8601, RefusesWhatIsNoInstant) {
    for (const char* text :
         {"", "2026", "2026-01-01", "2026-01-01T00:00:00", "2026-13-01T00:00:00Z",
          "2026-02-29T00:00:00Z", "2026-01-00T00:00:00Z", "2026-01-01T24:00:00Z",
          "2026-01-01T00:60:00Z", "2026-01-01T00:00:60Z", "2026-01-01T00:00:00.Z",
          "2026-01-01T00:00:00.1234567890Z", "2026-01-01T00:00:00+24:00",
          "2026-01-01T00:00:00+0100", "2026-01-01T00:00:00Zx", " 2026-01-01T00:00:00Z",
          "2026-1-1T00:00:00Z", "+026-01-01T00:00:00Z"})
        EXPECT_FALSE(from_iso8601(text)) << text;
}

TEST(Iso8601, RoundTripsAnyInstant) {
    std::mt19937_64 random(7);
    std::uniform_int_distribution<std::int64_t> instants(0, 253'402'300'799'999);  // to year 9999
    for (int i = 0; i < 10'000; ++i) {
        const WallTime time{instants(random)};
        const auto text = to_iso8601(time);
        ASSERT_EQ(from_iso8601(text), time) << text;
    }
}

TEST(ManualClock, MovesOnlyWhenTold) {
    ManualClock clock({1000});
    const auto start = clock.monotonic();
    clock.advance(Milliseconds(250));
    EXPECT_EQ(clock.wall().ms, 1250);
    EXPECT_EQ(clock.monotonic() - start, Milliseconds(250));
    clock.step_wall({0});
    EXPECT_EQ(clock.monotonic() - start, Milliseconds(250));
}

}  // namespace
}  // namespace mitral::base
