#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "azure/topics.hpp"
#include "fake_reader.hpp"
#include "support/proves.hpp"
#include "uplink/feeds.hpp"
#include "uplink/lane_feed.hpp"

namespace mitral::uplink {
namespace {

using test::FakeLane;
using test::FakeReader;
using test::reading_record;
using testing::HasSubstr;

LaneFeed::OpenReader open(FakeLane& lane) {
    return [&lane]() -> base::Result<std::unique_ptr<spool::LaneReader>> {
        return std::make_unique<FakeReader>(lane);
    };
}

std::string property_of(const Outgoing& message, std::string_view name) {
    const auto bag = azure::decode_bag(message.bag).value();
    return azure::find_property(bag, name)->value.value();
}
std::string mid_of(const Outgoing& message) {
    return property_of(message, "$.mid");
}
std::string text_of(const Outgoing& message) {
    return std::string(base::as_text(message.body));
}

class LaneFeedTest : public testing::Test {
  protected:
    std::vector<Outgoing> take_all(std::vector<std::uint64_t>* batches = nullptr) {
        std::vector<Outgoing> out;
        while (true) {
            const auto message = feed_.front();
            EXPECT_TRUE(message) << message.error().message();
            if (!message || *message == nullptr)
                return out;
            out.push_back(**message);
            if (batches != nullptr)
                batches->push_back(feed_.front_batch());
            feed_.pop_front();
        }
    }

    FakeLane lane_;
    LaneFeed feed_{{"lines", spool::Lane::vitals}, open(lane_)};
};

TEST_F(LaneFeedTest, ABatchBecomesAMessage) {
    lane_.add(reading_record("bed-1", 1), false);
    lane_.add(reading_record("bed-1", 2), true);
    lane_.add(reading_record("bed-1", 3), false);  // its batch is still open
    const auto messages = take_all();
    ASSERT_EQ(messages.size(), 1U);
    EXPECT_EQ(mid_of(messages[0]), "lines-vitals-000000000000abcd-1");
    EXPECT_EQ(property_of(messages[0], "$.ct"), "application/json");
    EXPECT_EQ(property_of(messages[0], "$.ce"), "utf-8");
    EXPECT_EQ(property_of(messages[0], "schema"), "mitral.vitals/1");
    EXPECT_EQ(property_of(messages[0], "lane"), "vitals");
    EXPECT_EQ(property_of(messages[0], "source"), "bed-1");
    EXPECT_TRUE(feed_.drained());
}

TEST_F(LaneFeedTest, OnlyAFrontWithoutAHoleIsAcknowledged) {
    MITRAL_PROVES("T-DATA-01");
    for (std::uint64_t i = 1; i <= 3; ++i)
        lane_.add(reading_record("bed-1", i));
    std::vector<std::uint64_t> batches;
    ASSERT_EQ(take_all(&batches).size(), 3U);
    feed_.acknowledged(batches[2]);
    feed_.acknowledged(batches[1]);
    EXPECT_EQ(lane_.acknowledged, 0U);
    feed_.acknowledged(batches[0]);
    EXPECT_EQ(lane_.acknowledged, 3U);
    EXPECT_EQ(feed_.counters().records, 3U);
    EXPECT_TRUE(feed_.must_persist());
    ASSERT_TRUE(feed_.persist());
    EXPECT_EQ(lane_.persisted, 3U);
}

TEST_F(LaneFeedTest, ABatchOfTwoSourcesNeedsBothAcknowledgements) {
    MITRAL_PROVES("T-DATA-01");
    lane_.add(reading_record("bed-1", 1), false);
    lane_.add(reading_record("bed-2", 1), true);
    std::vector<std::uint64_t> batches;
    ASSERT_EQ(take_all(&batches).size(), 2U);
    feed_.acknowledged(batches[0]);
    EXPECT_EQ(lane_.acknowledged, 0U);
    feed_.acknowledged(batches[1]);
    EXPECT_EQ(lane_.acknowledged, 2U);
    feed_.acknowledged(batches[1]);  // once too often: nothing happens
    EXPECT_EQ(feed_.counters().messages, 2U);
}

TEST_F(LaneFeedTest, AfterRewindTheSameMessagesComeAgain) {
    MITRAL_PROVES("T-DATA-01");
    for (std::uint64_t i = 1; i <= 5; ++i)
        lane_.add(reading_record("bed-1", i), i % 2 == 0);
    std::vector<std::uint64_t> batches;
    const auto first = take_all(&batches);
    ASSERT_EQ(first.size(), 2U);
    ASSERT_TRUE(feed_.rewind());
    feed_.acknowledged(batches[0]);  // of the old session
    EXPECT_EQ(lane_.acknowledged, 0U);
    const auto second = take_all();
    ASSERT_EQ(second.size(), 2U);
    feed_.acknowledged(batches[0]);  // still of the old one, whatever is under way now
    EXPECT_EQ(lane_.acknowledged, 0U);
    for (std::size_t i = 0; i < 2; ++i) {
        EXPECT_EQ(mid_of(first[i]), mid_of(second[i]));
        EXPECT_EQ(first[i].body, second[i].body);
    }
}

TEST_F(LaneFeedTest, AnUnreadableRecordIsReportedAndHoldsNothingUp) {
    MITRAL_PROVES("T-SW-04", "T-DATA-01");
    lane_.add(reading_record("bed-1", 1), false);
    lane_.add({0xFF, 0x00, 0x13}, false);
    lane_.add({}, false);
    lane_.add(reading_record("bed-1", 4), true);
    std::vector<std::uint64_t> batches;
    const auto messages = take_all(&batches);
    ASSERT_EQ(messages.size(), 2U);
    EXPECT_THAT(text_of(messages[0]), HasSubstr("bed-1-4"));
    EXPECT_EQ(text_of(messages[1]),
              R"({"schema":"mitral.gap/1","lane":"vitals","stream":"000000000000abcd","first":2,)"
              R"("last":3,"reason":"unreadable"})");
    EXPECT_EQ(feed_.counters().unreadable, 2U);
    for (const auto batch : batches)
        feed_.acknowledged(batch);
    EXPECT_EQ(lane_.acknowledged, 4U);
}

TEST_F(LaneFeedTest, GapRecordsTravel) {
    MITRAL_PROVES("T-DOS-02");
    spool::Gap gap;
    gap.first_sequence = 1;
    gap.last_sequence = 99;
    gap.first_written = {1'767'225'600'000};
    gap.last_written = {1'767'225'601'000};
    lane_.add(spool::encode(gap), true, spool::RecordKind::gap);
    const auto messages = take_all();
    ASSERT_EQ(messages.size(), 1U);
    EXPECT_THAT(text_of(messages[0]),
                HasSubstr(R"("first":1,"last":99,"first_written":"2026-01-01T00:00:00.000Z")"));
    EXPECT_THAT(text_of(messages[0]), HasSubstr(R"("reason":"bound-reached"})"));
}

TEST_F(LaneFeedTest, GapsOutsideOfTimeAreReportedWithoutIt) {
    MITRAL_PROVES("T-SW-04");
    for (const std::int64_t ms : {INT64_MIN, INT64_MAX}) {
        spool::Gap gap;
        gap.first_sequence = gap.last_sequence = 1;
        gap.first_written = gap.last_written = {ms};
        lane_.add(spool::encode(gap), true, spool::RecordKind::gap);
    }
    for (const Outgoing& message : take_all())
        EXPECT_THAT(text_of(message), testing::Not(HasSubstr("written")));
}

TEST_F(LaneFeedTest, ABoundaryOnlyEndsItsBatch) {
    lane_.add(reading_record("bed-1", 1), false);
    lane_.add({}, true, spool::RecordKind::boundary);
    lane_.add({}, true, spool::RecordKind::boundary);
    std::vector<std::uint64_t> batches;
    ASSERT_EQ(take_all(&batches).size(), 1U);
    feed_.acknowledged(batches[0]);
    EXPECT_EQ(lane_.acknowledged, 3U);  // an empty batch needs no answer
}

TEST_F(LaneFeedTest, AJumpEndsTheBatch) {
    lane_.add(reading_record("bed-1", 1), false);
    lane_.add(reading_record("bed-1", 2), true).id.sequence = 10;
    const auto messages = take_all();
    ASSERT_EQ(messages.size(), 2U);
    EXPECT_THAT(mid_of(messages[1]), testing::EndsWith("-10"));
}

TEST_F(LaneFeedTest, ADamagedRecordIsSteppedOver) {
    MITRAL_PROVES("T-SW-04", "T-DATA-02");
    for (std::uint64_t i = 1; i <= 3; ++i)
        lane_.add(reading_record("bed-1", i));
    lane_.broken.emplace(2, base::Error{make_error_code(spool::SpoolError::tampered), "record 2"});
    std::vector<std::uint64_t> batches;
    const auto messages = take_all(&batches);
    ASSERT_EQ(messages.size(), 3U);
    EXPECT_THAT(text_of(messages[1]), HasSubstr(R"("first":2,"last":2,)"));
    for (const auto batch : batches)
        feed_.acknowledged(batch);
    EXPECT_EQ(lane_.acknowledged, 3U);
}

// Two batches are closed at once: what came before the damage, and the gap.
TEST_F(LaneFeedTest, DamageInTheMiddleOfABatchHoldsNothingUp) {
    MITRAL_PROVES("T-SW-04", "T-DATA-02", "T-DATA-01");
    for (std::uint64_t i = 1; i <= 4; ++i)
        lane_.add(reading_record("bed-1", i), i == 4);
    lane_.broken.emplace(3, base::Error{make_error_code(spool::SpoolError::damaged), "record 3"});
    std::vector<std::uint64_t> batches;
    ASSERT_EQ(take_all(&batches).size(), 3U);
    EXPECT_LT(batches[0], batches[1]);
    feed_.acknowledged(batches[1]);  // the gap alone
    EXPECT_EQ(lane_.acknowledged, 0U);
    feed_.acknowledged(batches[0]);
    EXPECT_EQ(lane_.acknowledged, 3U);
    feed_.acknowledged(batches[2]);
    EXPECT_EQ(lane_.acknowledged, 4U);
    EXPECT_TRUE(feed_.must_persist());
}

TEST_F(LaneFeedTest, WhatAWipeVoidedIsReportedAsThat) {
    MITRAL_PROVES("T-PHY-03", "T-DATA-01");
    for (std::uint64_t i = 1; i <= 2; ++i)
        lane_.add(reading_record("bed-1", i));
    lane_.broken.emplace(1, base::Error{make_error_code(spool::SpoolError::key_void), "wiped"});
    lane_.skip_reason = spool::GapReason::key_void;
    lane_.told.push_back({spool::Lane::vitals, 7, 9, {}, {}, spool::GapReason::bound_reached});
    std::vector<std::uint64_t> batches;
    const auto messages = take_all(&batches);
    ASSERT_EQ(messages.size(), 3U);
    EXPECT_THAT(text_of(messages[0]), HasSubstr(R"("first":7,"last":9,"reason":"bound-reached")"));
    EXPECT_THAT(text_of(messages[1]), HasSubstr(R"("stream":"000000000000abcd","first":1,)"
                                                R"("last":1,"reason":"key-void"})"));
    for (const auto batch : batches)
        feed_.acknowledged(batch);
    EXPECT_EQ(lane_.acknowledged, 2U);
}

TEST_F(LaneFeedTest, OtherErrorsLeaveThePosition) {
    lane_.add(reading_record("bed-1", 1));
    lane_.broken.emplace(1, base::Error{make_error_code(base::BaseError::timed_out), "vault"});
    EXPECT_FALSE(feed_.front());
    lane_.broken.clear();
    EXPECT_EQ(take_all().size(), 1U);
}

TEST_F(LaneFeedTest, ABatchWithoutEndIsMadeToEnd) {
    MITRAL_PROVES("T-SW-04");
    for (std::size_t i = 0; i < BatchBuilder::max_records + 10; ++i)
        lane_.add({0xFF}, false);
    std::vector<std::uint64_t> batches;
    const auto messages = take_all(&batches);
    ASSERT_EQ(messages.size(), 1U);
    feed_.acknowledged(batches[0]);
    EXPECT_EQ(lane_.acknowledged, BatchBuilder::max_records);
}

class FeedsTest : public testing::Test {
  protected:
    void SetUp() override {
        loop_ = *base::EventLoop::create();
        feeds_ = std::make_unique<Feeds>(*loop_, clock_, rate_, [this] { ++wakes_; });
        for (const auto lane : {spool::Lane::waves, spool::Lane::vitals, spool::Lane::alerts})
            feeds_->add({"lines", lane}, open(lanes_[static_cast<std::size_t>(lane)]));
    }
    FakeLane& lane(spool::Lane which) { return lanes_[static_cast<std::size_t>(which)]; }
    std::string take() {
        const auto choice = feeds_->next();
        if (!choice)
            return "";
        std::string mid = mid_of(*choice->message);
        feeds_->pop(choice->feed);
        return mid.substr(6, mid.find('-', 6) - 6);
    }

    std::uint32_t rate_ = 0;
    base::ManualClock clock_{base::WallTime{0}};
    std::array<FakeLane, 3> lanes_;
    std::unique_ptr<base::EventLoop> loop_;
    std::unique_ptr<Feeds> feeds_;
    int wakes_ = 0;
};

TEST_F(FeedsTest, AlertsBeforeVitalsBeforeWaves) {
    for (const auto which : spool::lanes_by_priority) {
        lane(which).add(reading_record("bed-1", 1));
        lane(which).add(reading_record("bed-1", 2));
    }
    for (const char* expected : {"alerts", "alerts", "vitals", "vitals", "waves", "waves", ""})
        EXPECT_EQ(take(), expected);
}

TEST_F(FeedsTest, ALaneInTroubleDoesNotHoldUpOthers) {
    MITRAL_PROVES("T-SW-04", "T-DOS-04");
    lane(spool::Lane::alerts).add(reading_record("bed-1", 1));
    lane(spool::Lane::alerts)
        .broken.emplace(1, base::Error{make_error_code(base::BaseError::timed_out), "vault"});
    lane(spool::Lane::waves).add(reading_record("bed-1", 1));
    EXPECT_EQ(take(), "waves");
    EXPECT_EQ(take(), "");
    EXPECT_FALSE(feeds_->status().at(2).trouble.empty());
    lane(spool::Lane::alerts).broken.clear();
    EXPECT_EQ(take(), "");  // not before its time
    clock_.advance(base::Milliseconds(1'001));
    EXPECT_EQ(take(), "alerts");
    EXPECT_TRUE(feeds_->status().at(2).trouble.empty());
}

TEST_F(FeedsTest, WakesOnceForNewRecordsAndSleepsMeanwhile) {
    EXPECT_EQ(take(), "");
    ASSERT_TRUE(loop_->run_once(base::Milliseconds(0)));
    EXPECT_EQ(wakes_, 0);
    lane(spool::Lane::vitals).add(reading_record("bed-1", 1));
    lane(spool::Lane::vitals).announce();
    for (int i = 0; i < 3; ++i)  // nobody reads: it must not spin
        ASSERT_TRUE(loop_->run_once(base::Milliseconds(0)));
    EXPECT_EQ(wakes_, 1);
    EXPECT_EQ(take(), "vitals");
    EXPECT_EQ(take(), "");
    lane(spool::Lane::vitals).announce();
    ASSERT_TRUE(loop_->run_once(base::Milliseconds(0)));
    EXPECT_EQ(wakes_, 2);
}

class PacedFeedsTest : public FeedsTest {
  protected:
    PacedFeedsTest() { rate_ = 4; }
};

TEST_F(PacedFeedsTest, AnAlertDoesNotWaitForAPermitAndPaysItBack) {
    for (std::uint64_t i = 1; i <= 5; ++i)
        lane(spool::Lane::vitals).add(reading_record("bed-1", i));
    EXPECT_EQ(take(), "vitals");
    EXPECT_EQ(take(), "");
    lane(spool::Lane::alerts).add(reading_record("bed-1", 1));
    lane(spool::Lane::alerts).announce();
    ASSERT_TRUE(loop_->run_once(base::Milliseconds(0)));
    EXPECT_EQ(take(), "alerts");
    EXPECT_EQ(take(), "");
    clock_.advance(base::Milliseconds(250));
    EXPECT_EQ(take(), "");  // the alert's permit
    clock_.advance(base::Milliseconds(250));
    EXPECT_EQ(take(), "vitals");
}

}  // namespace
}  // namespace mitral::uplink
