// Each thing that must be noticed, beside the same run without it.
#include "verify/judge.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "roughtime/clock.h"
#include "support/proves.hpp"
#include "verify/unit.hpp"

namespace mitral::test {
namespace {

using verify::Kind;
using Kinds = std::vector<Kind>;

constexpr std::int64_t now_s = 1'780'000'500;

class Judge : public ::testing::Test {
  protected:
    void SetUp() override {
        marks = verify::first_marks(unit.said(), now_s);
        ASSERT_EQ(next(), Kinds{});
        ASSERT_EQ(next(), Kinds{});
    }
    [[nodiscard]] Kinds take(const base::Bytes& bytes) {
        Kinds kinds;
        for (const auto& finding : verify::judge_checkpoint(marks, bytes, now_s)) {
            EXPECT_FALSE(finding.cause.empty() || finding.remedy.empty());
            EXPECT_EQ(line_of(finding).find('\n'), std::string::npos);
            kinds.push_back(finding.kind);
        }
        return kinds;
    }
    [[nodiscard]] Kinds next() { return take(unit.checkpoint()); }
    // What a sound unit does between two checkpoints.
    void live() {
        unit.state.mints += 3;
        unit.state.time_floor_s += 3600;
        unit.state.order_counter += 1;
        unit.report.log_entries += 2;
        unit.report.log_head[0] ^= 0x55;
        for (auto& lane : unit.report.lanes) {
            lane.first += 10;
            lane.end += 20;
            lane.hash[0] ^= 0x77;
        }
    }
    Unit unit;
    verify::Marks marks;
};

TEST_F(Judge, ASoundUnitGivesNoCause) {
    MITRAL_PROVES("T-ROLL-01");
    for (int i = 0; i < 300; ++i) {
        live();
        if (i % 10 == 0) {
            unit.start();
            unit.state.checkpoint += 256;
            unit.state.refusals = 0;
        }
        EXPECT_EQ(next(), Kinds{}) << i;
    }
    EXPECT_EQ(marks.mints, unit.state.mints);
    EXPECT_EQ(marks.checkpoint(), unit.state.checkpoint);
    EXPECT_EQ(marks.taken.size(), verify::Marks::max_taken);
}

TEST_F(Judge, AnOlderStorageIsARollBack) {
    MITRAL_PROVES("T-ROLL-01", "T-PHY-03");
    const Unit before = unit;
    for (int i = 0; i < 5; ++i) {
        live();
        ASSERT_EQ(next(), Kinds{});
    }
    const Unit sound = unit;
    unit = before;  // the disk of before, and a start
    unit.start();
    EXPECT_EQ(next(), Kinds{Kind::rolled_back});
    EXPECT_EQ(next(), Kinds{Kind::rolled_back});
    unit.state.checkpoint += 256;
    EXPECT_EQ(next(), (Kinds{Kind::rolled_back, Kind::rolled_back, Kind::lane_shrank,
                             Kind::lane_shrank, Kind::log_suppressed}));
    unit = sound;  // negative control: the start alone
    unit.start();
    unit.state.checkpoint += 512;
    EXPECT_EQ(next(), Kinds{});
}

TEST_F(Judge, EachRatchetThatFallsIsARollBack) {
    MITRAL_PROVES("T-ROLL-01", "T-TIME-01");
    const auto with = [this](auto change) {
        const Unit sound = unit;
        const auto kept = marks;
        change(unit.state);
        const auto kinds = next();
        unit = sound;
        marks = kept;
        return kinds;
    };
    EXPECT_EQ(with([](auto&) {}), Kinds{});  // negative control
    const Kinds fell{Kind::rolled_back};
    EXPECT_EQ(with([](auto& state) { --state.mints; }), fell);
    EXPECT_EQ(with([](auto& state) { --state.order_counter; }), fell);
    EXPECT_EQ(with([](auto& state) { --state.epoch; }), fell);
    EXPECT_EQ(with([](auto& state) { state.time_floor_s -= ROUGHTIME_FLOOR_STEP_S; }), fell);
    // What a start may lose.
    EXPECT_EQ(with([](auto& state) { state.time_floor_s -= ROUGHTIME_FLOOR_STEP_S - 1; }), Kinds{});
    EXPECT_EQ(with([](auto& state) { state.doubtful = true; }), Kinds{Kind::doubtful});
}

TEST_F(Judge, TwoUnitsWithOneKeyAreAClone) {
    MITRAL_PROVES("T-ROLL-01", "T-ID-02");
    Unit copy = unit;
    unit.start();
    copy.start();
    EXPECT_EQ(next(), Kinds{});
    copy.report.log_entries += 1;
    EXPECT_EQ(take(copy.checkpoint()), Kinds{Kind::rolled_back});  // or a copy: it cannot be told
    EXPECT_EQ(next(), Kinds{});  // negative control: the first alone
    copy.state.checkpoint += 256;
    EXPECT_EQ(take(copy.checkpoint()), Kinds{});  // as if it had started
    unit.state.checkpoint += 512;
    unit.report.log_entries += 2;
    EXPECT_EQ(next(), Kinds{Kind::cloned});  // the one before speaks again
    unit.start();
    EXPECT_EQ(next(), Kinds{});  // negative control: a start
    unit.state.unit_id[0] ^= 1;
    EXPECT_EQ(next(), Kinds{Kind::cloned});
}

// A memory snapshot that runs twice has one boot id.
TEST_F(Judge, OneNumberWithTwoContentsIsAClone) {
    MITRAL_PROVES("T-ROLL-01", "T-ID-02");
    Unit copy = unit;
    EXPECT_EQ(next(), Kinds{});
    EXPECT_EQ(take(unit.again()), Kinds{Kind::replayed});  // another signature, the same content
    copy.report.log_entries += 1;
    EXPECT_EQ(take(copy.checkpoint()), Kinds{Kind::cloned});
    EXPECT_EQ(next(), Kinds{});  // negative control
}

TEST_F(Judge, AnOldOneIsAReplay) {
    MITRAL_PROVES("T-ROLL-01");
    live();
    const auto old = unit.checkpoint();
    EXPECT_EQ(take(old), Kinds{});
    EXPECT_EQ(take(old), Kinds{Kind::replayed});
    live();
    EXPECT_EQ(next(), Kinds{});
    const auto kept = encode(marks);
    EXPECT_EQ(take(old), Kinds{Kind::replayed});
    EXPECT_EQ(encode(marks), kept);
    // So old that it is not remembered: its start is.
    for (std::size_t i = 0; i < verify::Marks::max_taken; ++i)
        ASSERT_EQ(next(), Kinds{});
    EXPECT_EQ(take(old), Kinds{Kind::replayed});
}

TEST_F(Judge, AnotherUnitsIsNotAuthentic) {
    MITRAL_PROVES("T-ROLL-01", "T-ID-02");
    Unit other;
    other.state.checkpoint = 1000;
    const auto kept = encode(marks);
    EXPECT_EQ(take(other.checkpoint()), Kinds{Kind::not_authentic});
    auto forged = unit.checkpoint();
    forged[40] ^= 1;
    EXPECT_EQ(take(forged), Kinds{Kind::not_authentic});
    EXPECT_EQ(take({}), Kinds{Kind::malformed});
    EXPECT_EQ(take(unit.attestation({})), Kinds{Kind::malformed});
    EXPECT_EQ(encode(marks), kept);
    EXPECT_EQ(next(), Kinds{});  // negative control
}

TEST_F(Judge, ALaneThatLosesWhatItHadIsTold) {
    MITRAL_PROVES("T-ROLL-01", "T-DATA-01", "T-DATA-02");
    const auto with = [this](auto change) {
        const Unit sound = unit;
        const auto kept = marks;
        change(unit.report);
        const auto kinds = next();
        unit = sound;
        marks = kept;
        return kinds;
    };
    EXPECT_EQ(with([](auto&) {}), Kinds{});  // negative control: nothing new in the lanes
    EXPECT_EQ(with([](auto& report) { report.lanes[0].end += 5; }), Kinds{});
    EXPECT_EQ(with([](auto& report) { report.lanes[0].end -= 5; }), Kinds{Kind::lane_shrank});
    EXPECT_EQ(with([](auto& report) { report.lanes[0].first -= 1; }), Kinds{Kind::lane_shrank});
    EXPECT_EQ(with([](auto& report) { report.lanes[1].hash[5] ^= 1; }), Kinds{Kind::lane_altered});
    EXPECT_EQ(with([](auto& report) { report.lanes.pop_back(); }), Kinds{Kind::lane_missing});
    EXPECT_EQ(with([](auto& report) { report.lanes[0].stream = 8; }), Kinds{Kind::lane_replaced});
    unit.report.lanes[0].gaps = 4;
    EXPECT_EQ(next(), Kinds{});
    EXPECT_EQ(with([](auto& report) { report.lanes[0].gaps = 3; }), Kinds{Kind::lane_altered});
}

TEST_F(Judge, ALogThatIsCutOrRewrittenIsTold) {
    MITRAL_PROVES("T-ROLL-01", "T-LOG-02", "CR 3.9");
    const auto with = [this](std::uint64_t entries, std::uint8_t head) {
        const Unit sound = unit;
        const auto kept = marks;
        unit.report.log_entries = entries;
        unit.report.log_head.fill(head);
        const auto kinds = next();
        unit = sound;
        marks = kept;
        return kinds;
    };
    EXPECT_EQ(with(10, 1), Kinds{});  // negative control
    EXPECT_EQ(with(11, 2), Kinds{});
    EXPECT_EQ(with(9, 2), Kinds{Kind::log_suppressed});
    EXPECT_EQ(with(0, 0), Kinds{Kind::log_suppressed});
    EXPECT_EQ(with(10, 2), Kinds{Kind::log_altered});
}

TEST_F(Judge, AnotherIdentityIsToldOnce) {
    MITRAL_PROVES("T-ROLL-01", "T-ID-01");
    unit.registration_id = "unit-0043";
    EXPECT_EQ(next(), Kinds{Kind::identity_changed});
    EXPECT_EQ(next(), Kinds{});
}

TEST_F(Judge, AttestationsAloneMoveTheMarks) {
    MITRAL_PROVES("T-ROLL-01");
    const attest::Nonce nonce{5};
    unit.state.checkpoint = 100;
    auto older = unit;
    older.start();
    unit.state.checkpoint = 5000;
    marks = verify::first_marks(unit.said(), now_s);
    const auto first = [&](const Unit& one) {
        const auto findings = verify::judge_attestation(marks, one.attestation(nonce), nonce);
        return findings.empty() ? std::string() : std::string(to_string(findings.front().kind));
    };
    EXPECT_EQ(first(unit), "");  // negative control
    EXPECT_EQ(first(older), "rolled-back");
    unit.start();
    unit.state.checkpoint = 6000;
    EXPECT_EQ(first(unit), "");
    older.state.checkpoint = 5500;
    EXPECT_EQ(first(older), "rolled-back");
}

TEST_F(Judge, OneOvertakenByAnAttestationIsLateNotRepeated) {
    const attest::Nonce nonce{5};
    const auto late = unit.checkpoint();
    EXPECT_TRUE(verify::judge_attestation(marks, unit.attestation(nonce), nonce).empty());
    EXPECT_EQ(take(late), Kinds{});
    EXPECT_EQ(take(late), Kinds{Kind::replayed});  // negative control
}

TEST_F(Judge, AForgottenStartIsNotCalledARollBack) {
    MITRAL_PROVES("T-ROLL-01");
    unit.start();  // not the start that was recorded
    const auto old = unit.checkpoint();
    ASSERT_EQ(take(old), Kinds{});
    unit.start();
    for (std::size_t i = 0; i <= verify::Marks::max_taken; ++i)
        ASSERT_EQ(next(), Kinds{});
    const auto kept = encode(marks);
    EXPECT_EQ(take(old), Kinds{Kind::undecided});
    EXPECT_EQ(encode(marks), kept);
}

TEST_F(Judge, LanesAreBounded) {
    MITRAL_PROVES("T-ROLL-01");
    for (int i = 0; marks.lanes.size() < verify::Marks::max_lanes; ++i) {
        unit.report.lanes = {{"lines/x" + std::to_string(100 + i), 7, 1, 100, {}, 0}};
        const auto kinds = next();
        EXPECT_EQ(std::count(kinds.begin(), kinds.end(), Kind::too_many_lanes), 0);
    }
    unit.report.lanes = {{"lines/y", 7, 1, 100, {}, 0}};
    const auto kinds = next();
    EXPECT_EQ(std::count(kinds.begin(), kinds.end(), Kind::too_many_lanes), 1);
    EXPECT_EQ(marks.lanes.size(), verify::Marks::max_lanes);
    EXPECT_TRUE(verify::decode_marks(encode(marks)).has_value());
}

TEST_F(Judge, WhatMayBeAnothersRaisesNoMark) {
    MITRAL_PROVES("T-ROLL-01");
    const auto kept = encode(marks);
    auto sound = unit;
    unit.state.mints += 1000;
    unit.state.doubtful = true;
    EXPECT_EQ(next(), Kinds{Kind::doubtful});
    unit.state.doubtful = false;
    unit.state.order_counter -= 1;
    EXPECT_EQ(next(), Kinds{Kind::rolled_back});
    EXPECT_EQ(encode(marks), kept);
    EXPECT_EQ(take(sound.checkpoint()), Kinds{});  // negative control
}

TEST_F(Judge, SilenceBeyondTheStatedTimeIsTold) {
    MITRAL_PROVES("T-ROLL-01");
    EXPECT_TRUE(verify::judge_silence(marks, 900, now_s + 900).empty());  // negative control
    const auto findings = verify::judge_silence(marks, 900, now_s + 901);
    ASSERT_EQ(findings.size(), 1U);
    EXPECT_EQ(findings[0].kind, Kind::silent);
    EXPECT_EQ(line_of(findings[0]).find("silent: no checkpoint for 901 s"), 0U);
}

TEST_F(Judge, AttestationsAreHeldToTheSameMarks) {
    MITRAL_PROVES("T-ROLL-01");
    const attest::Nonce nonce{5};
    const auto kinds = [&](const base::Bytes& bytes) {
        Kinds all;
        for (const auto& finding : verify::judge_attestation(marks, bytes, nonce))
            all.push_back(finding.kind);
        return all;
    };
    const auto old_boot = unit;
    EXPECT_EQ(kinds(unit.attestation(nonce)), Kinds{});  // negative control
    EXPECT_EQ(kinds(unit.attestation({6})), Kinds{Kind::not_authentic});
    EXPECT_EQ(kinds(unit.again()), Kinds{Kind::malformed});
    unit.start();
    EXPECT_EQ(kinds(unit.attestation(nonce)), Kinds{});
    EXPECT_EQ(next(), Kinds{});
    auto stale = old_boot;
    EXPECT_EQ(kinds(stale.attestation(nonce)), (Kinds{Kind::rolled_back, Kind::cloned}));
    unit.state.mints -= 1;
    EXPECT_EQ(kinds(unit.attestation(nonce)), Kinds{Kind::rolled_back});
}

TEST_F(Judge, AStretchThatNoCheckpointCoversIsTold) {
    MITRAL_PROVES("T-ROLL-01");
    unit.report.lanes[0].first = unit.report.lanes[0].end = 100;  // as it should be
    EXPECT_EQ(next(), Kinds{});
    unit.report.lanes[0].hash[3] ^= 1;  // of messages beyond `end`, no content of this stretch
    EXPECT_EQ(next(), Kinds{});
    unit.report.lanes[0].first = unit.report.lanes[0].end = 120;
    EXPECT_EQ(next(), Kinds{Kind::lane_unproven});
    EXPECT_EQ(next(), Kinds{});  // told once
}

TEST_F(Judge, GapsAreCountedInOneStretch) {
    unit.report.lanes[0].gaps = 4;
    EXPECT_EQ(next(), Kinds{});
    unit.report.lanes[0].first = 100;
    unit.report.lanes[0].end = 110;
    unit.report.lanes[0].gaps = 0;
    EXPECT_EQ(next(), Kinds{});
}

// Messages of a live part are in lists before the position comes to them.
TEST_F(Judge, GapsBeyondThePositionAreOfOneList) {
    for (auto& lane : unit.report.lanes)
        lane.first = lane.end = 100;
    for (const std::uint64_t gaps : {0U, 2U, 0U, 1U, 0U}) {
        unit.report.lanes[0].gaps = gaps;
        EXPECT_EQ(next(), Kinds{}) << gaps;
    }
}

TEST_F(Judge, ACheckpointThatWasKeptBackIsLate) {
    MITRAL_PROVES("T-ROLL-01");
    const auto at = [this](std::int64_t signed_age_s, std::int64_t max_age_s) {
        unit.state.signed_time_age_s = signed_age_s;
        Kinds kinds;
        for (const auto& finding :
             verify::judge_checkpoint(marks, unit.checkpoint(), now_s, {.max_age_s = max_age_s}))
            kinds.push_back(finding.kind);
        return kinds;
    };
    unit.state.time_floor_s = now_s - 1000;
    EXPECT_EQ(at(700, 300), Kinds{});  // negative control: made 300 s ago
    marks.heard_s = 7;
    EXPECT_EQ(at(699, 300), Kinds{Kind::late});
    EXPECT_EQ(marks.heard_s, 7);  // it ends no silence
    EXPECT_EQ(at(699, 0), Kinds{});
    EXPECT_EQ(at(-1, 300), Kinds{Kind::undated});
}

TEST_F(Judge, AnOrderThatWasNotTakenIsTold) {
    MITRAL_PROVES("T-ROLL-01");
    const auto with = [this](std::uint64_t counter) {
        return verify::judge_checkpoint(marks, unit.checkpoint(), now_s,
                                        {.order_counter = counter});
    };
    EXPECT_TRUE(with(1000).empty());
    ASSERT_EQ(with(1001).size(), 1U);
    EXPECT_EQ(with(1001).front().kind, Kind::rolled_back);
    const auto answer =
        verify::judge_attestation(marks, unit.attestation({}), {}, {.order_counter = 1001});
    ASSERT_EQ(answer.size(), 1U);
    EXPECT_EQ(answer.front().kind, Kind::rolled_back);
}

TEST_F(Judge, ListsAreHeldOnce) {
    MITRAL_PROVES("T-ROLL-01");
    const auto bytes = unit.checkpoint();
    EXPECT_FALSE(verify::claim_lists(marks, bytes));  // not taken
    EXPECT_EQ(take(bytes), Kinds{});
    EXPECT_TRUE(verify::claim_lists(marks, bytes));
    marks = *verify::decode_marks(encode(marks));
    EXPECT_FALSE(verify::claim_lists(marks, bytes));
    EXPECT_FALSE(verify::claim_lists(marks, {}));
}

TEST_F(Judge, ARedeliveryIsKnown) {
    const auto bytes = unit.checkpoint();
    EXPECT_FALSE(verify::was_taken(marks, bytes));
    EXPECT_EQ(take(bytes), Kinds{});
    EXPECT_TRUE(verify::was_taken(marks, bytes));
    EXPECT_FALSE(verify::was_taken(marks, {}));
}

}  // namespace
}  // namespace mitral::test
