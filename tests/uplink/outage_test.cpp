// 72 h without a hub, and what the hub sees when it is back (issue: live first, bounded, exact).
#include <gtest/gtest.h>

#include "outage_simulation.hpp"
#include "support/proves.hpp"

namespace mitral::uplink {
namespace {

using base::Milliseconds;
using spool::Lane;
using test::OutageOptions;
using test::OutageSimulation;

constexpr Milliseconds outage{4'320'000};  // 72 h at 1/60
constexpr std::size_t s1_sends_per_s = 100;
constexpr std::uint64_t s2_units_per_day = 6'000'000;

class OutageTest : public testing::Test {
  protected:
    // A while in order, then the outage, then the hub is back.
    std::unique_ptr<OutageSimulation> after_the_outage(OutageOptions options = {}) {
        auto run = std::make_unique<OutageSimulation>(scratch_.path(), options);
        run->hub_comes();
        run->run(Milliseconds(20'000));
        run->hub_goes();
        run->run(outage);
        back_ = run->now();
        run->hub_comes();
        return run;
    }
    static void drain(OutageSimulation& run) {
        for (int i = 0; i < 10'000 && run.queued() > 100; ++i)
            run.run(Milliseconds(1'000));
        run.stop_writing();
        run.run(Milliseconds(5'000));
        EXPECT_EQ(run.queued(), 0U);
    }
    static void expect_exact(const OutageSimulation& run) {
        for (const Lane lane : spool::lanes_by_priority) {
            const auto account = run.account(lane);
            EXPECT_EQ(account.missing, 0U) << to_string(lane);
            EXPECT_EQ(account.both, 0U) << to_string(lane);
        }
    }

    mitral::test::TemporaryDirectory scratch_{spool::test::fast_directory()};
    Milliseconds back_{};
};

TEST_F(OutageTest, LiveFlowsAtOnceAndTheBacklogDrainsTenTimesAsFast) {
    MITRAL_PROVES("T-DOS-02", "T-DOS-03", "T-DATA-01", "CR 7.1");
    const auto run = after_the_outage();
    const auto waiting = run->queued();
    std::uint64_t written = 0;
    for (const Lane lane : {Lane::vitals, Lane::waves})
        written += run->usage(lane).last_sequence;
    const auto units_before = run->units();
    run->run(Milliseconds(60'000));
    std::uint64_t written_later = 0;
    for (const Lane lane : {Lane::vitals, Lane::waves})
        written_later += run->usage(lane).last_sequence;
    const auto live = written_later - written;
    const auto drained = waiting + live - run->queued();
    EXPECT_GE(drained, 11 * live) << "ten times the live load, and the live load itself";
    drain(*run);

    EXPECT_LE(run->worst_latency(Lane::vitals, back_), Milliseconds(300));
    EXPECT_LE(run->worst_latency(Lane::waves, back_), Milliseconds(300));
    EXPECT_LE(run->busiest_second(), s1_sends_per_s);
    EXPECT_LE((run->units() - units_before) * 60, s2_units_per_day);  // a day has room for 72 h
    EXPECT_LE(run->most_bytes(), OutageOptions{}.max_bytes + OutageOptions{}.segment_bytes);
    EXPECT_GT(run->usage(Lane::vitals).dropped_records, 100U) << "the bound was not reached";
    EXPECT_GT(run->usage(Lane::waves).dropped_records, 1'000U);
    expect_exact(*run);
    EXPECT_EQ(run->account(Lane::vitals).repeated, 0U);
}

// The negative control: in the order of writing, live waits for the whole backlog.
TEST_F(OutageTest, InTheOrderOfWritingLiveWouldWaitForTheBacklog) {
    const auto run = after_the_outage({.far_behind = UINT64_MAX});
    run->run(Milliseconds(60'000));
    drain(*run);
    EXPECT_GT(run->worst_latency(Lane::vitals, back_), Milliseconds(60'000));
    expect_exact(*run);
}

TEST_F(OutageTest, AnAlertOvertakesEverything) {
    MITRAL_PROVES("T-LOG-02");
    const auto run = after_the_outage();
    for (int i = 0; i < 40; ++i) {
        run->run(Milliseconds(1'730));
        run->raise_alert();
    }
    run->run(Milliseconds(1'000));
    EXPECT_EQ(run->account(Lane::alerts).delivered, 40U);
    EXPECT_LE(run->worst_latency(Lane::alerts, {}), Milliseconds(10));  // one step
    EXPECT_LE(run->busiest_second(), s1_sends_per_s);
}

TEST_F(OutageTest, AFloodOfAlertsKeepsToTheLimitAndLeavesLiveItsShare) {
    MITRAL_PROVES("T-LOG-02", "T-DOS-03");
    const auto run = after_the_outage();
    for (int i = 0; i < 3'000; ++i)
        run->raise_alert();
    run->run(Milliseconds(20'000));
    EXPECT_LE(run->busiest_second(), s1_sends_per_s);
    EXPECT_GT(run->account(Lane::alerts).delivered, 1'300U);
    std::size_t live = 0;
    for (const auto& one : run->sent())
        live += one.lane == Lane::vitals && one.at > back_ ? 1U : 0U;
    EXPECT_GT(live, 60U);
}

TEST_F(OutageTest, SecondOutagesDuringTheDrainAndAKilledUplinkLoseNothing) {
    MITRAL_PROVES("T-DATA-01", "T-DOS-02");
    const auto run = after_the_outage();
    for (int i = 0; i < 6; ++i) {
        run->run(Milliseconds(20'000));
        run->hub_goes();
        run->run(Milliseconds(400'000));
        const auto again = run->now();
        run->hub_comes();
        run->run(Milliseconds(5'000));
        if (i < 2) {
            EXPECT_LE(run->worst_latency(Lane::vitals, again), Milliseconds(300));
        }
    }
    EXPECT_LE(run->status()[1].parts, LaneParts::max_parts);
    run->kill_uplink();
    run->run(Milliseconds(10'000));
    run->kill_uplink();
    drain(*run);
    for (const Lane lane : {Lane::vitals, Lane::waves})
        EXPECT_EQ(run->account(lane).missing, 0U);
}

// With a load near the limit the backlog gets its share and no more; the bound takes the rest of
// it, at last up to where live began. Delivered and in a gap as well: what was under way when its
// segment was dropped (a handful a drop), and what live had sent of the segment where it began.
TEST_F(OutageTest, UnderAHeavyLoadTheBacklogGoesOnAndTheGapsStayExact) {
    MITRAL_PROVES("T-DOS-02", "T-DATA-01");
    OutageOptions options;
    options.vitals_interval = Milliseconds(20);
    options.waves_interval = Milliseconds(40);
    options.max_bytes = 600'000;
    options.segment_bytes = 32 * 1024;
    OutageSimulation run(scratch_.path(), options);
    run.run(Milliseconds(120'000));
    run.hub_comes();
    const auto back = run.now();
    run.run(Milliseconds(300'000));
    EXPECT_LE(run.worst_latency(Lane::vitals, back), Milliseconds(500));
    EXPECT_LE(run.busiest_second(), s1_sends_per_s);
    run.stop_writing();
    run.run(Milliseconds(600'000));
    EXPECT_EQ(run.queued(), 0U);
    constexpr std::uint64_t records_of_a_segment = 250;
    for (const Lane lane : {Lane::vitals, Lane::waves}) {
        const auto drops = run.usage(lane).dropped_records / records_of_a_segment + 1;
        EXPECT_EQ(run.account(lane).missing, 0U) << to_string(lane);
        EXPECT_LE(run.account(lane).both, records_of_a_segment + 8 * drops) << to_string(lane);
    }
}

}  // namespace
}  // namespace mitral::uplink
