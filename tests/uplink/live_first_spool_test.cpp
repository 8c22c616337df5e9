// Live first over the real spool: the same messages, byte for byte; hostile and damaged segments.
#include <gmock/gmock.h>

#include <filesystem>
#include <map>

#include "fake_reader.hpp"
#include "spool/acknowledgement.hpp"
#include "spool/support.hpp"
#include "support/proves.hpp"
#include "support/result_matchers.hpp"
#include "uplink/feeds.hpp"
#include "uplink/lane_parts.hpp"

namespace mitral::uplink {
namespace {

using mitral::test::ok;
using mitral::test::reading_record;
using spool::Lane;
using testing::HasSubstr;
using testing::Not;

constexpr std::uint64_t far = 20;

class LiveFirstSpoolTest : public spool::test::SpoolTest {
  protected:
    using Bodies = std::map<std::string, std::string>;

    LiveFirstSpoolTest() {
        options.segment_bytes = 4 * 1024;
        options.max_bytes = 64 * 1024;
        options.batch_bytes = 400;  // a few records each
    }

    void write(spool::Writer& writer, int records) {
        for (int i = 0; i < records; ++i) {
            const auto number = ++written_;
            const auto source = "bed-" + std::to_string(number % 3);
            ASSERT_TRUE(ok(writer.append(Lane::vitals, reading_record(source, number))));
            ASSERT_TRUE(ok(writer.commit()));
        }
    }
    LaneFeed::OpenReader open() {
        return [this] {
            return spool::LaneReader::open(options.directory, Lane::vitals, ack_file(), keys);
        };
    }
    std::unique_ptr<LaneParts> parts() {
        return std::make_unique<LaneParts>(FeedName{"lines", Lane::vitals}, open(), *loop_, [] {});
    }
    // Sends what there is; `acknowledge`: the hub answers.
    static void send(LaneParts& parts, std::size_t index, Bodies& bodies, bool acknowledge) {
        std::vector<std::uint64_t> batches;
        for (;;) {
            const auto message = parts[index].feed.front();
            ASSERT_TRUE(ok(message));
            if (*message == nullptr)
                break;
            const std::string body(base::as_text((*message)->body));
            const auto [known, fresh] = bodies.emplace((*message)->bag, body);
            EXPECT_EQ(known->second, body);
            batches.push_back(parts[index].feed.front_batch());
            parts[index].feed.pop_front();
        }
        for (const auto batch : batches)
            if (acknowledge)
                parts.acknowledged(batch);
        parts.drop_finished();
    }
    // The batches of what there is to send, one for each message.
    static std::vector<std::uint64_t> take(LaneParts& parts) {
        std::vector<std::uint64_t> batches;
        for (auto message = parts.live().feed.front(); message && *message != nullptr;
             message = parts.live().feed.front()) {
            batches.push_back(parts.live().feed.front_batch());
            parts.live().feed.pop_front();
        }
        return batches;
    }
    Bodies in_order() {
        Bodies bodies;
        const auto one = std::make_unique<LaneParts>(
            FeedName{"lines", Lane::vitals},
            [this] {
                return spool::LaneReader::open(options.directory, Lane::vitals,
                                               scratch.path() + "/nowhere.ack", keys);
            },
            *loop_, [] {});
        send(*one, 0, bodies, false);
        return bodies;
    }
    std::uint64_t stored() {
        const auto found = spool::read_acknowledgement(ack_file());
        return found && *found ? (*found)->sequence : 0;
    }

    std::uint64_t written_ = 0;
    std::unique_ptr<base::EventLoop> loop_ = *base::EventLoop::create();
};

TEST_F(LiveFirstSpoolTest, TheSameMessagesWithAndWithoutByteForByte) {
    MITRAL_PROVES("T-DATA-01");
    const auto writer = open_writer();
    write(*writer, 101);
    const auto lane = parts();
    lane->split_when_behind(far);
    ASSERT_EQ(lane->count(), 2U);
    write(*writer, 60);
    ASSERT_TRUE(ok(writer->end_batches()));
    Bodies sent;
    send(*lane, 1, sent, false);
    EXPECT_LT(sent.size(), in_order().size());
    send(*lane, 0, sent, false);
    EXPECT_EQ(sent, in_order());
}

TEST_F(LiveFirstSpoolTest, ThePositionJumpsWhenTheBacklogIsDone) {
    MITRAL_PROVES("T-DATA-01");
    const auto writer = open_writer();
    write(*writer, 100);
    const auto lane = parts();
    lane->split_when_behind(far);
    write(*writer, 60);
    ASSERT_TRUE(ok(writer->end_batches()));
    const auto last = writer->usage(Lane::vitals).last_sequence;
    Bodies sent;
    send(*lane, 1, sent, true);
    ASSERT_TRUE(ok(lane->persist()));
    EXPECT_EQ(stored(), 0U);
    send(*lane, 0, sent, true);
    ASSERT_TRUE(ok(lane->persist()));
    EXPECT_EQ(lane->count(), 1U);
    EXPECT_EQ(stored(), last);
}

TEST_F(LiveFirstSpoolTest, AKilledUplinkSendsAgainWhatOnlyMemoryKnew) {
    MITRAL_PROVES("T-DATA-01");
    const auto writer = open_writer();
    write(*writer, 100);
    Bodies sent;
    {
        const auto lane = parts();
        lane->split_when_behind(far);
        write(*writer, 60);
        send(*lane, 1, sent, true);
        ASSERT_TRUE(ok(lane->persist()));
    }
    ASSERT_TRUE(ok(writer->end_batches()));
    const auto lane = parts();
    lane->split_when_behind(far);
    ASSERT_EQ(lane->count(), 2U);
    send(*lane, 1, sent, true);
    send(*lane, 0, sent, true);
    EXPECT_EQ(sent, in_order());
}

TEST_F(LiveFirstSpoolTest, TheBoundTakesTheBacklogFirstAndEveryNumberIsAccounted) {
    MITRAL_PROVES("T-DOS-02", "T-DATA-01");
    options.batch_bytes = 0;
    const auto writer = open_writer();
    write(*writer, 300);
    const auto lane = parts();
    Bodies sent;
    lane->split_when_behind(far);
    ASSERT_EQ(lane->count(), 2U);
    for (int i = 0; i < 20; ++i) {  // the backlog never gets a turn
        write(*writer, 50);
        send(*lane, 1, sent, true);
        ASSERT_TRUE(ok(lane->persist()));
        ASSERT_TRUE(ok(writer->maintain()));
        if (lane->count() == 1)
            break;
        if (i % 4 == 3)
            send(*lane, 0, sent, false);
    }
    while (lane->count() > 1) {
        ASSERT_TRUE(ok(lane->rewind()));
        send(*lane, 0, sent, true);
    }
    send(*lane, 0, sent, true);
    EXPECT_GT(writer->usage(Lane::vitals).dropped_records, 0U);
    EXPECT_EQ(lane->status().backlog, 0U);
}

// The hub answers slowly, and the window is full: what the reader had read ahead is given up and
// told as a gap meanwhile. It does not go out as well.
TEST_F(LiveFirstSpoolTest, WhatTheBoundTookWhileTheWindowWasFullIsNotSentAfterAll) {
    MITRAL_PROVES("T-DOS-02", "T-DATA-01");
    options.batch_bytes = 0;
    const auto writer = open_writer();
    write(*writer, 40);
    base::ManualClock time({0});
    Feeds feeds(*loop_, time, 0, [] {});
    feeds.add({"lines", Lane::vitals}, open());
    const auto first = feeds.next();
    ASSERT_TRUE(first);  // the rest of its segment has been read ahead
    feeds.pop(first->feed);
    write(*writer, 600);
    ASSERT_TRUE(ok(writer->maintain()));
    ASSERT_GT(writer->usage(Lane::vitals).dropped_records, 2U);
    time.advance(base::Milliseconds(100));
    const auto second = feeds.next();
    ASSERT_TRUE(second);
    EXPECT_THAT(second->message->bag, Not(HasSubstr("-2&")));
}

TEST_F(LiveFirstSpoolTest, AnotherLaneInItsPlaceEndsTheSplit) {
    MITRAL_PROVES("T-SW-04", "T-DATA-01");
    write(*open_writer(), 100);
    const auto lane = parts();
    lane->split_when_behind(far);
    ASSERT_EQ(lane->count(), 2U);
    std::filesystem::remove_all(lane_directory());
    written_ = 0;
    write(*open_writer(), 30);
    // The news of the directory may come after the look at it: what fails is tried again.
    std::error_code why;
    for (int i = 0; i < 3 && why != spool::SpoolError::lane_replaced; ++i) {
        lane->live().feed.woken();
        if (const auto live = lane->live().feed.front(); !live)
            why = live.error().code;
    }
    EXPECT_EQ(why, spool::SpoolError::lane_replaced);
    ASSERT_TRUE(ok(lane->rejoin()));
    EXPECT_EQ(lane->count(), 1U);
    Bodies sent;
    for (int i = 0; i < 3 && sent.empty(); ++i) {
        lane->live().feed.woken();
        if (const auto first = lane->live().feed.front(); first && *first != nullptr)
            send(*lane, 0, sent, true);
    }
    ASSERT_FALSE(sent.empty());
    EXPECT_THAT(sent.begin()->first, HasSubstr("-1&"));
}

// Undivided as well: what is under way from a lane that is gone says nothing about its successor.
TEST_F(LiveFirstSpoolTest, AnAnswerForALaneThatIsGoneMovesNoPositionOfItsSuccessor) {
    MITRAL_PROVES("T-DATA-01");
    write(*open_writer(), 30);
    const auto lane = parts();
    const std::vector<std::uint64_t> under_way = take(*lane);
    ASSERT_FALSE(under_way.empty());
    std::filesystem::remove_all(lane_directory());
    written_ = 0;
    write(*open_writer(), 60);
    // The news of the directory may come after the look at it.
    std::vector<std::uint64_t> of_the_new_one;
    for (int i = 0; i < 3 && of_the_new_one.empty(); ++i) {
        lane->live().feed.woken();
        of_the_new_one = take(*lane);
    }
    ASSERT_FALSE(of_the_new_one.empty());
    for (const auto batch : under_way)
        lane->acknowledged(batch);
    EXPECT_EQ(lane->status().position, 0U);
    ASSERT_TRUE(ok(lane->rewind()));
    const auto first = lane->live().feed.front();
    ASSERT_TRUE(ok(first));
    EXPECT_THAT((*first)->bag, HasSubstr("-1&"));
}

TEST_F(LiveFirstSpoolTest, AnOlderStateOfTheLaneEndsTheSplit) {
    MITRAL_PROVES("T-SW-04", "T-DATA-04");
    write(*open_writer(), 50);
    spool::test::copy_tree(options.directory, scratch.path() + "/older");
    write(*open_writer(), 100);
    const auto lane = parts();
    lane->split_when_behind(far);
    ASSERT_EQ(lane->count(), 2U);
    spool::test::copy_tree(scratch.path() + "/older", options.directory);
    ASSERT_TRUE(ok(lane->rewind()));
    const auto live = lane->live().feed.front();
    ASSERT_FALSE(live);
    EXPECT_EQ(live.error().code, spool::SpoolError::lane_replaced);
    ASSERT_TRUE(ok(lane->rejoin()));
    Bodies sent;
    send(*lane, 0, sent, true);
    EXPECT_FALSE(sent.empty());
}

TEST_F(LiveFirstSpoolTest, DamageInEitherPartIsToldAndHoldsNeitherUp) {
    MITRAL_PROVES("T-DATA-02", "T-SW-04");
    options.batch_bytes = 0;
    options.segment_bytes = 64 * 1024;
    options.max_bytes = 1024 * 1024;
    const auto writer = open_writer();
    write(*writer, 100);
    const auto lane = parts();
    lane->split_when_behind(far);
    ASSERT_EQ(lane->count(), 2U);
    write(*writer, 50);
    // One byte in a record of each part.
    const auto path = spool::test::segments_of(lane_directory()).front();
    auto content = spool::test::file_content(path);
    const auto frame = (content.size() - spool::header_size) / 150;
    content[spool::header_size + 30 * frame + 40] ^= 1;
    content[spool::header_size + 130 * frame + 40] ^= 1;
    spool::test::set_file_content(path, content);
    Bodies sent;
    send(*lane, 1, sent, true);
    send(*lane, 0, sent, true);
    EXPECT_EQ(lane->count(), 1U);
    EXPECT_EQ(sent.size(), 150U);  // two of them gaps
    const auto gaps = std::ranges::count_if(sent, [](const auto& message) {
        return message.second.find("unreadable") != std::string::npos;
    });
    EXPECT_EQ(gaps, 2);
    EXPECT_EQ(lane->status().position, 150U);
}

TEST_F(LiveFirstSpoolTest, WhatCannotBeReadIsToldWithTheSameWordsAgain) {
    MITRAL_PROVES("T-DATA-01");
    options.batch_bytes = 0;
    const auto writer = open_writer();
    write(*writer, 10);
    const auto path = spool::test::segments_of(lane_directory()).front();
    auto content = spool::test::file_content(path);
    const auto frame = (content.size() - spool::header_size) / 10;
    content[spool::header_size + 5 * frame + 40] ^= 1;
    spool::test::set_file_content(path, content);
    const auto lane = parts();
    Bodies sent;
    send(*lane, 0, sent, false);
    EXPECT_EQ(sent.size(), 10U);
    clock.advance(base::Milliseconds(5'000));
    write(*writer, 1);
    ASSERT_TRUE(ok(lane->rewind()));
    send(*lane, 0, sent, false);  // compares
}

TEST_F(LiveFirstSpoolTest, AVoidKeyGivesUpEachPartAsFarAsItGoes) {
    MITRAL_PROVES("T-PHY-03", "T-DATA-01");
    options.batch_bytes = 0;
    options.segment_bytes = 64 * 1024;
    options.max_bytes = 1024 * 1024;
    const auto writer = open_writer();
    write(*writer, 100);
    const auto lane = parts();
    lane->split_when_behind(far);
    write(*writer, 50);
    keys.wipe();
    ASSERT_TRUE(ok(lane->rewind()));
    Bodies sent;
    send(*lane, 0, sent, true);  // the backlog: 1…100
    ASSERT_EQ(lane->count(), 1U);
    send(*lane, 0, sent, true);  // then what was live: 101…150
    ASSERT_EQ(sent.size(), 2U);
    std::string all;
    for (const auto& [bag, body] : sent)
        all += body;
    EXPECT_THAT(all, HasSubstr(R"("first":1,"last":100,)"));
    EXPECT_THAT(all, HasSubstr(R"("first":101,"last":150,)"));
}

TEST_F(LiveFirstSpoolTest, WithoutAKeyTheLaneStaysWholeAndIsSplitLater) {
    MITRAL_PROVES("T-DATA-01");
    write(*open_writer(), 100);
    const auto lane = parts();
    keys.away = true;
    lane->split_when_behind(far);
    EXPECT_EQ(lane->count(), 1U);
    keys.away = false;
    lane->split_when_behind(far);
    EXPECT_EQ(lane->count(), 2U);
}

}  // namespace
}  // namespace mitral::uplink
