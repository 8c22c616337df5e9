// Signed time: what raises the floor, and what tokens are judged by.
#include "roughtime/clock.h"
#include "roughtime/time_authority.hpp"
#include "vault/custody_suite.hpp"

namespace mitral::test {
namespace {

using vault::VaultError;

constexpr std::int64_t day = 24 * 3600;

class SignedTime : public CustodySuite {
  protected:
    void SetUp() override {
        auto order = bench.provision_order();
        order.policy->time_key = authority.key();
        order.policy->allowance_s = vault::max_allowance_with_time_s;
        ASSERT_TRUE(bench.execute(order));
    }
    [[nodiscard]] base::Bytes ask() { return *bench.backend().begin_time(); }
    [[nodiscard]] base::Result<std::int64_t> take(const TimeAnswer& plan) {
        return bench.backend().take_time(authority.answer(ask(), plan));
    }
    [[nodiscard]] base::Result<std::int64_t> take(std::int64_t midpoint_s) {
        return take(TimeAnswer{.midpoint_s = midpoint_s});
    }
    TimeAuthority authority;
};
MITRAL_FOR_EVERY_BACKEND(SignedTime);

TEST_P(SignedTime, RaisesTheFloorAndTheFloorStays) {
    MITRAL_PROVES("T-TIME-01");
    EXPECT_TRUE(bench.status().time_authority);
    EXPECT_EQ(bench.status().signed_time_age_s, -1);
    const auto earliest = take(start_s + day);
    ASSERT_TRUE(earliest) << earliest.error().message();
    EXPECT_EQ(*earliest, start_s + day - 3);
    EXPECT_EQ(bench.status().time_floor_s, start_s + day - 3);
    bench.clock.advance(base::Seconds(90));
    EXPECT_EQ(bench.status().signed_time_age_s, 90);
    bench.restart();
    EXPECT_EQ(bench.status().time_floor_s, start_s + day - 3);
    EXPECT_EQ(bench.status().signed_time_age_s, -1);
}

TEST_P(SignedTime, IsWhatATokensLifeIsCountedFrom) {
    MITRAL_PROVES("T-TIME-01", "T-TOK-01");
    constexpr std::int64_t truth = start_s + 400 * day;  // far beyond the allowance
    ASSERT_TRUE(take(truth));
    for (const std::int64_t claimed : {std::int64_t{0}, start_s, truth, truth + 4000 * day}) {
        bench.clock.step_wall(base::WallTime{claimed * 1000});
        const auto token = bench.mint(hub, {}, day);
        ASSERT_TRUE(token) << token.error().message();
        EXPECT_EQ(token->not_after_s, truth - 3 + day);
        EXPECT_EQ(code_of(bench.mint(hub, {}, day + 1)), VaultError::lifetime_refused);
    }
    bench.clock.set_state(base::ClockState::implausible);
    EXPECT_TRUE(bench.mint());
    bench.clock.advance(base::Seconds(3600));
    EXPECT_EQ(bench.mint(hub, {}, 600)->not_after_s, truth - 3 + 3600 - 1 + 600);
}

// Whoever may set the rate of the clock must not make days of hours.
TEST_P(SignedTime, IsCarriedOnByAClockThatNobodySteers) {
    MITRAL_PROVES("T-TIME-01", "T-TOK-01");
    ASSERT_TRUE(take(start_s + day));
    bench.clock.steer(base::Seconds(20 * 3600));
    EXPECT_EQ(bench.status().signed_time_age_s, 0);
    EXPECT_EQ(bench.mint(hub, {}, 600)->not_after_s, start_s + day - 3 + 600);
    bench.clock.advance(base::Seconds(100));  // negative control: true time does pass
    EXPECT_EQ(bench.status().signed_time_age_s, 100);
    EXPECT_EQ(bench.mint(hub, {}, 600)->not_after_s, start_s + day - 3 + 99 + 600);
}

TEST_P(SignedTime, ThatIsStaleLeavesTheAllowance) {
    MITRAL_PROVES("T-TIME-01");
    ASSERT_TRUE(take(start_s + day));
    bench.clock.step_wall(base::WallTime{(start_s + 3000 * day) * 1000});
    EXPECT_TRUE(bench.mint());  // negative control: while it is fresh the claim is nothing
    bench.clock.advance(base::Seconds(ROUGHTIME_FRESH_S + 1));
    EXPECT_EQ(code_of(bench.mint()), VaultError::clock_refused);
    bench.clock.step_wall(base::WallTime{(start_s + day - 4) * 1000});
    EXPECT_EQ(code_of(bench.mint()), VaultError::clock_refused);
    bench.clock.step_wall(base::WallTime{(start_s + day) * 1000});
    EXPECT_TRUE(bench.mint());
}

TEST_P(SignedTime, ThatIsNoAnswerToTheOpenQuestionIsRefusedAndCounted) {
    MITRAL_PROVES("T-TIME-01");
    const auto old_question = ask();
    const auto old_answer = authority.answer(old_question, TimeAnswer{.midpoint_s = start_s + day});
    const auto before = bench.status().refusal_count;
    std::uint64_t refused = 0;
    const auto expect_refused = [&](const base::Result<std::int64_t>& taken) {
        EXPECT_EQ(code_of(taken), VaultError::time_refused);
        EXPECT_EQ(bench.status().refusal_count, before + ++refused);
    };
    const auto question = ask();
    expect_refused(bench.backend().take_time(old_answer));
    expect_refused(bench.backend().take_time({}));
    expect_refused(bench.backend().take_time(base::Bytes(2000, 7)));
    const TimeAuthority stranger;
    const TimeAnswer good{.midpoint_s = start_s + day};
    expect_refused(bench.backend().take_time(stranger.answer(question, good)));
    auto wide = good;
    wide.radius_s = 3600;
    expect_refused(bench.backend().take_time(authority.answer(question, wide)));
    auto expired = good;
    expired.not_after_s = start_s;
    expect_refused(bench.backend().take_time(authority.answer(question, expired)));
    expect_refused(bench.backend().take_time(
        authority.answer(question, TimeAnswer{.midpoint_s = start_s - 100})));  // clock back
    EXPECT_EQ(bench.status().time_floor_s, start_s);
    EXPECT_EQ(bench.status().signed_time_age_s, -1);

    const auto answer = authority.answer(question, good);
    EXPECT_TRUE(bench.backend().take_time(answer));  // negative control
    expect_refused(bench.backend().take_time(answer));
}

// A floor never falls: one answer of a clock gone mad must not end a unit.
TEST_P(SignedTime, ThatIsTooFarAheadIsRefused) {
    MITRAL_PROVES("T-TIME-01");
    const auto before = bench.status().refusal_count;
    const std::int64_t far = start_s + ROUGHTIME_MAX_RISE_S;
    for (const auto midpoint : {far + 1, far + 3000 * day, std::int64_t{253402300799}})
        EXPECT_EQ(code_of(take(midpoint)), VaultError::too_far_ahead);
    EXPECT_EQ(bench.status().refusal_count, before + 3);
    EXPECT_EQ(bench.status().time_floor_s, start_s);
    EXPECT_EQ(bench.status().signed_time_age_s, -1);
    EXPECT_TRUE(take(far));  // a unit may have lain on a shelf
}

TEST_P(SignedTime, ThatComesTooLateIsRefused) {
    MITRAL_PROVES("T-TIME-01");
    const auto answer = authority.answer(ask(), TimeAnswer{.midpoint_s = start_s + day});
    bench.clock.advance(base::Seconds(ROUGHTIME_MAX_WAIT_S + 1));
    EXPECT_EQ(code_of(bench.backend().take_time(answer)), VaultError::time_refused);
    EXPECT_TRUE(take(start_s + day));
}

TEST_P(SignedTime, ADayWearsOutNoFlash) {
    ASSERT_TRUE(take(start_s + ROUGHTIME_FLOOR_STEP_S));
    EXPECT_EQ(bench.status().time_floor_s, start_s + ROUGHTIME_FLOOR_STEP_S - 3);
    bench.restart();
    EXPECT_EQ(bench.status().time_floor_s, start_s);  // below the step: in memory alone
    ASSERT_TRUE(take(start_s + ROUGHTIME_FLOOR_STEP_S + 3));
    bench.restart();
    EXPECT_EQ(bench.status().time_floor_s, start_s + ROUGHTIME_FLOOR_STEP_S);
}

TEST_P(SignedTime, OfAnAuthorityThatThePolicyDroppedIsForgotten) {
    MITRAL_PROVES("T-TIME-01");
    ASSERT_TRUE(take(start_s + day));
    auto order = bench.order(vault::OrderKind::policy);
    order.policy = standard_policy();
    ASSERT_TRUE(bench.execute(order));
    EXPECT_FALSE(bench.status().time_authority);
    EXPECT_EQ(bench.status().signed_time_age_s, -1);
    EXPECT_EQ(bench.status().time_floor_s, start_s + day - 3);
    EXPECT_EQ(code_of(bench.backend().begin_time()), VaultError::not_listed);
    EXPECT_EQ(code_of(bench.backend().take_time({})), VaultError::not_listed);
}

TEST_P(SignedTime, ComesInQuarantineButNotAfterAWipe) {
    ASSERT_TRUE(bench.execute(bench.order(vault::OrderKind::quarantine)));
    EXPECT_TRUE(take(start_s + day));
    ASSERT_TRUE(bench.execute(bench.order(vault::OrderKind::wipe)));
    EXPECT_EQ(bench.status().time_floor_s, start_s + day - 3);
    EXPECT_EQ(bench.status().signed_time_age_s, -1);
    EXPECT_EQ(code_of(bench.backend().begin_time()), VaultError::not_provisioned);
}

}  // namespace
}  // namespace mitral::test
