// A lane in parts: what was promised for one holds for each, and together they say the same.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "azure/topics.hpp"
#include "fake_reader.hpp"
#include "support/proves.hpp"
#include "support/result_matchers.hpp"
#include "uplink/feeds.hpp"
#include "uplink/lane_parts.hpp"
#include "uplink/turns.hpp"

namespace mitral::uplink {
namespace {

using base::Milliseconds;
using mitral::test::ok;
using test::FakeLane;
using test::FakeReader;
using test::reading_record;
using testing::ElementsAre;
using testing::HasSubstr;

LaneFeed::OpenReader open(FakeLane& lane) {
    return [&lane]() -> base::Result<std::unique_ptr<spool::LaneReader>> {
        return std::make_unique<FakeReader>(lane);
    };
}

std::string text_of(const Outgoing& message) {
    return std::string(base::as_text(message.body));
}

constexpr std::uint64_t far = 10;

class LanePartsTest : public testing::Test {
  protected:
    using Bodies = std::map<std::string, std::string>;  // by property bag, which names the message

    struct Sent {
        Outgoing message;
        std::uint64_t batch = 0;
    };

    // Records in batches of three; the last batch stays open when the number asks for it.
    void write(std::uint64_t records) {
        for (std::uint64_t i = 0; i < records; ++i) {
            const auto number = lane_.records.size() + 1;
            lane_.add(reading_record("bed-" + std::to_string(number % 2), number), number % 3 == 0);
        }
    }

    std::optional<Sent> take(LanePart& part) {
        const auto message = part.feed.front();
        EXPECT_TRUE(ok(message));
        if (!message || *message == nullptr)
            return std::nullopt;
        Sent sent{**message, part.feed.front_batch()};
        part.feed.pop_front();
        return sent;
    }
    std::vector<Sent> take_all(LanePart& part) {
        std::vector<Sent> all;
        while (auto sent = take(part))
            all.push_back(*std::move(sent));
        return all;
    }
    void acknowledge(const std::vector<Sent>& sent) {
        for (const Sent& one : sent)
            parts_->acknowledged(one.batch);
    }
    static void note(const std::vector<Sent>& sent, Bodies& bodies) {
        for (const Sent& one : sent) {
            const auto [known, fresh] = bodies.emplace(one.message.bag, text_of(one.message));
            EXPECT_EQ(known->second, text_of(one.message)) << one.message.bag;
        }
    }
    // What one reader in order makes of the lane.
    Bodies in_order() {
        FakeLane copy;
        copy.records = lane_.records;
        LaneFeed feed({"lines", spool::Lane::vitals}, open(copy));
        Bodies bodies;
        for (auto message = feed.front(); message && *message != nullptr; message = feed.front()) {
            bodies.emplace((*message)->bag, text_of(**message));
            feed.pop_front();
        }
        return bodies;
    }
    void restart() {
        lane_.acknowledged = lane_.persisted;
        parts_ = std::make_unique<LaneParts>(FeedName{"lines", spool::Lane::vitals}, open(lane_),
                                             *loop_, [] {});
    }

    FakeLane lane_;
    std::unique_ptr<base::EventLoop> loop_ = *base::EventLoop::create();
    std::unique_ptr<LaneParts> parts_ = std::make_unique<LaneParts>(
        FeedName{"lines", spool::Lane::vitals}, open(lane_), *loop_, [] {});
};

// A hostile writer names a batch that does not end; each look at the lane would read it all.
TEST_F(LanePartsTest, TheEndOfABatchIsNotSearchedForBeyondWhatABatchMayHold) {
    write(far + 5);
    lane_.claimed_batch_end = lane_.records.size() + 1;
    for (std::size_t bytes = 0; bytes <= BatchBuilder::max_bytes; bytes += 64 * 1024)
        lane_.add(base::Bytes(64 * 1024), false);
    lane_.add(reading_record("bed-1", 1), true);
    parts_->split_when_behind(far);
    EXPECT_EQ(parts_->count(), 1U);
}

TEST_F(LanePartsTest, OnlyALaneThatIsFarBehindIsSplit) {
    write(far);
    parts_->split_when_behind(far);
    EXPECT_EQ(parts_->count(), 1U);
    write(5);
    parts_->split_when_behind(far);
    EXPECT_EQ(parts_->count(), 2U);
    parts_->split_when_behind(far);  // the live part is not behind
    EXPECT_EQ(parts_->count(), 2U);
}

TEST_F(LanePartsTest, BothPartsTogetherSendTheSameMessagesByteForByte) {
    MITRAL_PROVES("T-DATA-01");
    write(31);  // the last batch is open
    parts_->split_when_behind(far);
    ASSERT_EQ(parts_->count(), 2U);
    write(30);
    Bodies sent;
    note(take_all(parts_->live()), sent);
    EXPECT_THAT(sent.begin()->second,
                HasSubstr("\"bed-1-31\""));  // live begins with the open batch
    note(take_all((*parts_)[0]), sent);
    EXPECT_EQ(sent, in_order());
}

TEST_F(LanePartsTest, TheLaneIsDividedWhereABatchReallyEnds) {
    MITRAL_PROVES("T-SW-04");
    write(30);
    lane_.claimed_batch_end = 25;  // what stands there does not end one
    parts_->split_when_behind(far);
    ASSERT_EQ(parts_->count(), 2U);
    EXPECT_EQ(parts_->live().feed.position(), 27U);
}

TEST_F(LanePartsTest, ALaneWhoseBatchesNeverEndIsNotDivided) {
    MITRAL_PROVES("T-SW-04");
    write(30);
    for (auto& record : lane_.records)
        record.ends_batch = false;
    lane_.claimed_batch_end = 25;
    parts_->split_when_behind(far);
    EXPECT_EQ(parts_->count(), 1U);
}

TEST_F(LanePartsTest, ThePositionStaysWithTheBacklogUntilThatIsDone) {
    MITRAL_PROVES("T-DATA-01");
    write(30);
    parts_->split_when_behind(far);
    write(30);
    acknowledge(take_all(parts_->live()));
    ASSERT_TRUE(ok(parts_->persist()));
    EXPECT_EQ(lane_.persisted, 0U);
    EXPECT_EQ(parts_->status().position, 0U);
    EXPECT_EQ(parts_->status().backlog, 30U);
    EXPECT_EQ(parts_->status().live_backlog, 0U);

    const auto backlog = take_all((*parts_)[0]);
    acknowledge({backlog.begin(), backlog.end() - 1});
    EXPECT_EQ(parts_->count(), 2U);
    EXPECT_LT(lane_.acknowledged, 30U);
    acknowledge({backlog.back()});
    EXPECT_EQ(parts_->count(), 1U);
    EXPECT_EQ(parts_->status().position, 60U);
    EXPECT_TRUE(parts_->must_persist());
    ASSERT_TRUE(ok(parts_->persist()));
    EXPECT_EQ(lane_.persisted, 60U);
    EXPECT_EQ(parts_->status().counters.records, 60U);
}

// Negative control of all that follows: had the live part's position been stored at once, a crash
// would lose the backlog.
TEST_F(LanePartsTest, WhereverTheUplinkDiesNothingIsLostAndNothingChanges) {
    MITRAL_PROVES("T-DATA-01");
    write(61);
    const Bodies all = in_order();
    for (std::size_t step = 0; step < 80; ++step) {
        restart();
        lane_.acknowledged = lane_.persisted = 0;
        restart();
        parts_->split_when_behind(far);
        ASSERT_EQ(parts_->count(), 2U);
        Bodies sent;
        // Live and backlog in turn; each message is acknowledged at once.
        for (std::size_t i = 0; i < step; ++i) {
            auto& part = i % 2 == 0 ? parts_->live() : (*parts_)[0];
            if (auto one = take(part)) {
                note({*one}, sent);
                parts_->acknowledged(one->batch);
                ASSERT_TRUE(ok(parts_->persist()));
            }
        }
        restart();  // kill -9
        parts_->split_when_behind(far);
        for (std::size_t part = parts_->count(); part-- > 0;)
            note(take_all((*parts_)[part]), sent);
        ASSERT_EQ(sent, all) << "died after " << step;
    }
}

TEST_F(LanePartsTest, AfterALostConnectionEachPartGoesOnFromItsOwnPosition) {
    MITRAL_PROVES("T-DATA-01");
    write(30);
    parts_->split_when_behind(far);
    write(30);
    const auto live = take_all(parts_->live());
    acknowledge({live.begin(), live.begin() + 2});  // the batch of 31…33
    acknowledge({take_all((*parts_)[0]).front()});
    ASSERT_TRUE(ok(parts_->rewind()));
    acknowledge(live);  // of the old connection: finds nothing
    EXPECT_EQ(parts_->live().feed.position(), 33U);
    EXPECT_EQ(take_all(parts_->live()).size(), live.size() - 2);
    EXPECT_EQ(lane_.acknowledged, 0U);
}

TEST_F(LanePartsTest, ASecondOutageMakesAThirdPartAndThereIsABound) {
    MITRAL_PROVES("T-DATA-01", "T-DOS-02");
    write(30);
    for (std::size_t outage = 1; outage < LaneParts::max_parts + 3; ++outage) {
        parts_->split_when_behind(far);
        EXPECT_EQ(parts_->count(), std::min(outage + 1, LaneParts::max_parts));
        write(30);
    }
    Bodies sent;
    for (std::size_t part = parts_->count(); part-- > 0;)  // newest first
        note(take_all((*parts_)[part]), sent);
    EXPECT_EQ(sent, in_order());
    while (parts_->count() > 1) {
        ASSERT_TRUE(ok(parts_->rewind()));
        const auto before = parts_->count();
        acknowledge(take_all((*parts_)[0]));
        ASSERT_EQ(parts_->count(), before - 1);
    }
    acknowledge(take_all(parts_->live()));
    EXPECT_EQ(lane_.acknowledged, lane_.records.size());
}

TEST_F(LanePartsTest, ABacklogThatTheBoundTookIsDone) {
    MITRAL_PROVES("T-DOS-02", "T-DATA-01");
    write(30);
    parts_->split_when_behind(far);
    write(30);
    const auto two = take_all((*parts_)[0]);
    acknowledge({two.begin(), two.begin() + 2});
    ASSERT_TRUE(ok(parts_->rewind()));
    lane_.dropped = 36;  // two batches of the live part went with it
    Bodies sent;
    note(take_all((*parts_)[0]), sent);
    EXPECT_TRUE(sent.empty());  // what lies behind the end is not the backlog's to send
    parts_->drop_finished();
    EXPECT_EQ(parts_->count(), 1U);
    acknowledge(take_all(parts_->live()));
    EXPECT_EQ(lane_.acknowledged, 60U);
}

TEST_F(LanePartsTest, DamageAcrossTheEndOfAPartIsToldOnceByEach) {
    MITRAL_PROVES("T-DATA-02", "T-SW-04");
    write(30);
    parts_->split_when_behind(far);
    write(30);
    lane_.broken.emplace(
        29, base::Error{make_error_code(spool::SpoolError::damaged), "records 29 to 40"});
    lane_.skip_to = 40;
    const auto backlog = take_all((*parts_)[0]);
    EXPECT_THAT(text_of(backlog.back().message), HasSubstr(R"("first":29,"last":30,)"));
    EXPECT_THAT(backlog.back().message.bag, HasSubstr("-29-30&"));
    acknowledge(backlog);
    EXPECT_EQ(parts_->count(), 1U);
    lane_.broken.emplace(
        31, base::Error{make_error_code(spool::SpoolError::damaged), "records 31 to 40"});
    const auto live = take_all(parts_->live());
    EXPECT_THAT(text_of(live.front().message), HasSubstr(R"("first":31,"last":40,)"));
}

class LiveFirstTest : public testing::Test {
  protected:
    void SetUp() override {
        feeds_ = std::make_unique<Feeds>(*loop_, clock_, rate_, [] {});
        for (const auto lane : spool::lanes_by_priority)
            feeds_->add({"lines", lane}, open(lanes_[static_cast<std::size_t>(lane)]));
    }
    FakeLane& lane(spool::Lane which) { return lanes_[static_cast<std::size_t>(which)]; }
    void write(spool::Lane which, std::uint64_t records) {
        for (std::uint64_t i = 0; i < records; ++i)
            lane(which).add(reading_record("bed-1", lane(which).records.size() + 1));
    }
    // The lane and the number of the next message; acknowledged at once.
    std::pair<spool::Lane, std::uint64_t> take() {
        const auto choice = feeds_->next();
        if (!choice)
            return {};
        const std::string body = text_of(*choice->message);
        const auto at = body.find("bed-1-");
        const std::uint64_t batch = feeds_->batch_of(choice->feed);
        const auto name = spool::lanes_by_priority[choice->feed];
        feeds_->pop(choice->feed);
        feeds_->acknowledged(choice->feed, batch);
        return {name, std::stoull(body.substr(at + 6))};
    }

    std::uint32_t rate_ = 80;
    base::ManualClock clock_{base::WallTime{0}};
    std::array<FakeLane, 3> lanes_;
    std::unique_ptr<base::EventLoop> loop_ = *base::EventLoop::create();
    std::unique_ptr<Feeds> feeds_;
};

TEST_F(LiveFirstTest, AlertsThenLiveThenTheBacklogWithAShareOfItsOwn) {
    MITRAL_PROVES("T-DOS-02", "T-LOG-02");
    using spool::Lane;
    write(Lane::vitals, 2'000);
    write(Lane::waves, 2'000);
    feeds_->put_live_first();
    write(Lane::vitals, 100);
    write(Lane::waves, 100);
    write(Lane::alerts, 5);
    std::vector<std::pair<Lane, std::uint64_t>> sent;
    while (sent.size() < 250) {
        clock_.advance(Milliseconds(13));
        sent.push_back(take());
    }
    for (std::uint64_t i = 0; i < 5; ++i)
        EXPECT_EQ(sent[i], std::pair(Lane::alerts, i + 1));
    std::vector<std::size_t> live_vitals, live_waves, old_vitals;
    for (std::size_t i = 5; i < sent.size(); ++i) {
        auto& kind = sent[i].second <= 2'000         ? old_vitals
                     : sent[i].first == Lane::vitals ? live_vitals
                                                     : live_waves;
        EXPECT_TRUE(sent[i].second > 2'000 || sent[i].first == Lane::vitals);
        kind.push_back(i);
    }
    ASSERT_EQ(live_vitals.size(), 100U);
    ASSERT_EQ(live_waves.size(), 100U);
    EXPECT_LT(live_vitals.back(), live_waves.front());
    const auto among_live =
        std::ranges::count_if(old_vitals, [&](std::size_t i) { return i < live_waves.back(); });
    EXPECT_NEAR(static_cast<double>(among_live), 200.0 / 7, 2);
}

TEST_F(LiveFirstTest, ALaneThatFallsBehindOnALivingConnectionIsFoundToo) {
    EXPECT_EQ(take().second, 0U);
    write(spool::Lane::vitals, 3'000);
    lane(spool::Lane::vitals).announce();
    ASSERT_TRUE(ok(loop_->run_once(Milliseconds(0))));
    EXPECT_EQ(take().second, 1U);
    clock_.advance(Milliseconds(10'001));
    EXPECT_EQ(take().second, 2U);  // nothing newer is there yet
    EXPECT_EQ(feeds_->status()[1].parts, 2U);
    write(spool::Lane::vitals, 1);
    lane(spool::Lane::vitals).announce();
    ASSERT_TRUE(ok(loop_->run_once(Milliseconds(0))));
    EXPECT_EQ(take().second, 3'001U);
}

TEST_F(LiveFirstTest, AnotherLaneInItsPlaceIsReadInOrderAgain) {
    MITRAL_PROVES("T-SW-04", "T-DATA-01");
    write(spool::Lane::vitals, 2'000);
    feeds_->put_live_first();
    write(spool::Lane::vitals, 10);
    EXPECT_EQ(take().second, 2'001U);
    lane(spool::Lane::vitals).replaced = true;
    clock_.advance(Milliseconds(100));
    EXPECT_EQ(take().second, 0U);
    clock_.advance(Milliseconds(100));
    for (std::uint64_t i = 1; i <= 5; ++i)
        EXPECT_EQ(take().second, i);
    EXPECT_EQ(feeds_->status()[1].parts, 1U);
}

TEST(Turns, NobodyStarves) {
    MITRAL_PROVES("T-DOS-02");
    Turns turns;
    std::array<int, 3> sent{};
    for (int i = 0; i < 64'000; ++i) {
        const Urgency first = turns.order().front();  // everybody always has something
        turns.sent(first);
        ++sent[static_cast<std::size_t>(first)];
    }
    EXPECT_EQ(sent[0], 56'000);
    EXPECT_EQ(sent[1], 7'000);
    EXPECT_EQ(sent[2], 1'000);
}

}  // namespace
}  // namespace mitral::uplink
