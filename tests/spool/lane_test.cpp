// The everyday path: append, commit, read, acknowledge, delete; batches; waking.
#include <gmock/gmock.h>
#include <poll.h>
#include <sys/stat.h>

#include "base/file.hpp"
#include "spool/acknowledgement.hpp"
#include "spool/errors.hpp"
#include "spool/support.hpp"
#include "support/proves.hpp"

namespace mitral::spool::test {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

bool is_readable(int fd) {
    pollfd entry{fd, POLLIN, 0};
    return ::poll(&entry, 1, 0) == 1;
}

TEST_F(SpoolTest, HandsOutCommittedRecordsInOrderAndOnlyThose) {
    const auto writer = open_writer();
    const auto reader = open_reader();
    append(*writer, "one");
    append(*writer, "two");
    EXPECT_THAT(read_all(*reader).records, IsEmpty());
    ASSERT_TRUE(writer->commit());
    append(*writer, "three");
    const auto outcome = read_all(*reader);
    EXPECT_THAT(outcome.texts(), ElementsAre("one", "two"));
    EXPECT_EQ(outcome.records[0].id.sequence, 1U);
    EXPECT_EQ(outcome.records[1].id.sequence, 2U);
    ASSERT_TRUE(writer->commit());
    EXPECT_THAT(read_all(*reader).texts(), ElementsAre("three"));
}

TEST_F(SpoolTest, LanesAreIndependentAndHaveStreamsOfTheirOwn) {
    const auto writer = open_writer();
    append(*writer, "vital", Lane::vitals);
    append(*writer, "wave", Lane::waves);
    append(*writer, "alert", Lane::alerts);
    ASSERT_TRUE(writer->commit());
    std::set<std::uint64_t> streams;
    for (const auto lane : lanes_by_priority) {
        const auto reader = open_reader(lane);
        const auto outcome = read_all(*reader);
        ASSERT_EQ(outcome.records.size(), 1U);
        EXPECT_EQ(outcome.records[0].id.sequence, 1U);
        streams.insert(outcome.records[0].id.stream);
    }
    EXPECT_EQ(streams.size(), 3U);
}

TEST_F(SpoolTest, EmptyAndLargestRecordsSurviveAndALargerOneIsRefused) {
    MITRAL_PROVES("T-DOS-01");
    const auto writer = open_writer();
    const std::string largest(Writer::max_record_size, 'x');
    append(*writer, "");
    append(*writer, largest);
    const auto refused = writer->append(Lane::vitals, base::as_bytes(largest + "y"));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, SpoolError::too_large);
    append_and_commit(*writer, "after");
    EXPECT_THAT(read_all(*open_reader()).texts(), ElementsAre("", largest, "after"));
}

TEST_F(SpoolTest, ARestartedReaderContinuesBehindTheAcknowledgedRecord) {
    MITRAL_PROVES("T-DATA-01");
    const auto writer = open_writer();
    for (const auto* text : {"a", "b", "c", "d"})
        append_and_commit(*writer, text);
    {
        const auto reader = open_reader();
        EXPECT_THAT(read_all(*reader).texts(), ElementsAre("a", "b", "c", "d"));
        reader->acknowledge(2);
        EXPECT_EQ(reader->backlog().value_or(99), 2U);
        ASSERT_TRUE(reader->rewind());
        EXPECT_THAT(read_all(*reader).texts(), ElementsAre("c", "d"));
        ASSERT_TRUE(reader->persist());
        reader->acknowledge(3);  // never persisted: redelivered, not lost
    }
    const auto reader = open_reader();
    EXPECT_THAT(read_all(*reader).texts(), ElementsAre("c", "d"));
    EXPECT_EQ(reader->acknowledged(), 2U);
}

TEST_F(SpoolTest, AnAcknowledgementOfWhatWasNeverHandedOutIsIgnored) {
    const auto writer = open_writer();
    append_and_commit(*writer, "a");
    const auto reader = open_reader();
    reader->acknowledge(1);
    EXPECT_EQ(reader->acknowledged(), 0U);
    EXPECT_THAT(read_all(*reader).texts(), ElementsAre("a"));
    reader->acknowledge(1);
    reader->acknowledge(0);
    EXPECT_EQ(reader->acknowledged(), 1U);
}

TEST_F(SpoolTest, NumbersContinueAcrossRestartsOfTheWriter) {
    MITRAL_PROVES("T-DATA-04");
    for (std::uint64_t round = 0; round < 5; ++round) {
        options.batch_bytes = 0;
        const auto writer = open_writer();
        const auto id = writer->append(Lane::vitals, base::as_bytes("x"));
        ASSERT_TRUE(id) << why(id);
        EXPECT_EQ(id->sequence, round + 1);
        ASSERT_TRUE(writer->commit());
    }
    EXPECT_EQ(keys.issued, 5);
    EXPECT_EQ(read_all(*open_reader()).records.size(), 5U);
}

TEST_F(SpoolTest, ReaderMayComeFirst) {
    const auto reader = open_reader();
    EXPECT_THAT(read_all(*reader).records, IsEmpty());
    EXPECT_EQ(reader->backlog().value_or(99), 0U);
    const auto writer = open_writer();
    EXPECT_TRUE(is_readable(reader->wake_descriptor()));
    EXPECT_THAT(read_all(*reader).records, IsEmpty());
    EXPECT_FALSE(is_readable(reader->wake_descriptor()));
    append_and_commit(*writer, "late");
    EXPECT_TRUE(is_readable(reader->wake_descriptor()));
    EXPECT_THAT(read_all(*reader).texts(), ElementsAre("late"));
    EXPECT_FALSE(is_readable(reader->wake_descriptor()));
}

TEST_F(SpoolTest, ReaderMayComeBeforeTheWholePath) {
    options.directory = scratch.path() + "/a/b/lines";
    const auto reader = open_reader();
    ASSERT_EQ(::mkdir((scratch.path() + "/a").c_str(), 0700), 0);
    EXPECT_TRUE(is_readable(reader->wake_descriptor()));
    EXPECT_THAT(read_all(*reader).records, IsEmpty());
    ASSERT_EQ(::mkdir((scratch.path() + "/a/b").c_str(), 0700), 0);
    const auto writer = open_writer();
    append_and_commit(*writer, "late");
    EXPECT_TRUE(is_readable(reader->wake_descriptor()));
    EXPECT_THAT(read_all(*reader).texts(), ElementsAre("late"));
}

TEST_F(SpoolTest, EveryCommitWakesTheReader) {
    const auto writer = open_writer();
    append_and_commit(*writer, "first");
    const auto reader = open_reader();
    (void)read_all(*reader);
    for (int i = 0; i < 50; ++i) {
        EXPECT_FALSE(is_readable(reader->wake_descriptor()));
        append_and_commit(*writer, std::to_string(i));
        EXPECT_TRUE(is_readable(reader->wake_descriptor()));
        EXPECT_THAT(read_all(*reader).texts(), ElementsAre(std::to_string(i)));
    }
}

TEST_F(SpoolTest, SegmentsRotateAndAcknowledgedOnesAreDeleted) {
    options.segment_bytes = 8 * 1024;
    const auto writer = open_writer();
    const auto reader = open_reader();
    const std::string payload(1000, 'p');
    for (int i = 0; i < 100; ++i)
        append_and_commit(*writer, payload);
    EXPECT_GT(segments_of(lane_directory()).size(), 5U);
    const auto read = read_all(*reader);
    EXPECT_FALSE(read.error) << read.error.message();
    EXPECT_EQ(read.texts().size(), 100U);
    reader->acknowledge(100);
    ASSERT_TRUE(reader->persist());
    ASSERT_TRUE(writer->maintain());
    EXPECT_EQ(segments_of(lane_directory()).size(), 1U);
    EXPECT_EQ(writer->usage(Lane::vitals).acknowledged_sequence, 100U);
    EXPECT_EQ(writer->usage(Lane::vitals).dropped_records, 0U);
    append_and_commit(*writer, "next");
    EXPECT_THAT(read_all(*reader).texts(), ElementsAre("next"));
}

TEST_F(SpoolTest, TheLastSegmentStaysToKeepTheNumbers) {
    MITRAL_PROVES("T-DATA-04");
    options.batch_bytes = 0;
    {
        const auto writer = open_writer();
        append_and_commit(*writer, "a");
        const auto reader = open_reader();
        (void)read_all(*reader);
        reader->acknowledge(1);
        ASSERT_TRUE(reader->persist());
    }
    for (int restart = 0; restart < 3; ++restart)
        ASSERT_TRUE(open_writer()->maintain());
    const auto writer = open_writer();
    const auto id = writer->append(Lane::vitals, base::as_bytes("b"));
    ASSERT_TRUE(id);
    EXPECT_EQ(id->sequence, 2U);
}

TEST_F(SpoolTest, ABatchEndsWhenItsPayloadsReachTheSize) {
    options.batch_bytes = 10;
    const auto writer = open_writer();
    for (const auto* text : {"1234", "5678", "90", "x"})
        append(*writer, text);
    ASSERT_TRUE(writer->commit());
    std::vector<bool> ends;
    for (const auto& record : read_all(*open_reader()).records)
        ends.push_back(record.ends_batch);
    EXPECT_THAT(ends, ElementsAre(false, false, true, false));
}

TEST_F(SpoolTest, WithoutABatchSizeEveryRecordEndsItsBatch) {
    options.batch_bytes = 0;
    const auto writer = open_writer();
    append(*writer, "");
    append(*writer, "b");
    ASSERT_TRUE(writer->commit());
    for (const auto& record : read_all(*open_reader()).records)
        EXPECT_TRUE(record.ends_batch);
    EXPECT_FALSE(writer->next_maintenance());
}

TEST_F(SpoolTest, AnIdleBatchIsClosedByABoundaryWhenItsIntervalHasPassed) {
    const auto writer = open_writer();
    EXPECT_FALSE(writer->next_maintenance());
    const auto began = clock.monotonic();
    append_and_commit(*writer, "a");
    ASSERT_TRUE(writer->next_maintenance());
    EXPECT_EQ(*writer->next_maintenance(), began + options.batch_interval);
    ASSERT_TRUE(writer->maintain());
    const auto reader = open_reader();
    EXPECT_EQ(read_all(*reader).records.size(), 1U);
    clock.advance(options.batch_interval);
    ASSERT_TRUE(writer->maintain());
    const auto outcome = read_all(*reader);
    ASSERT_EQ(outcome.records.size(), 1U);
    EXPECT_EQ(outcome.records[0].kind, RecordKind::boundary);
    EXPECT_TRUE(outcome.records[0].ends_batch);
    EXPECT_EQ(outcome.records[0].id.sequence, 2U);
    EXPECT_THAT(outcome.records[0].payload, IsEmpty());
    EXPECT_FALSE(writer->next_maintenance());
    ASSERT_TRUE(writer->maintain());
    EXPECT_THAT(read_all(*reader).records, IsEmpty());
}

TEST_F(SpoolTest, ARecordThatComesAfterTheIntervalEndsTheBatchItself) {
    const auto writer = open_writer();
    append_and_commit(*writer, "a");
    clock.advance(options.batch_interval);
    append_and_commit(*writer, "b");
    const auto outcome = read_all(*open_reader());
    ASSERT_EQ(outcome.records.size(), 2U);
    EXPECT_FALSE(outcome.records[0].ends_batch);
    EXPECT_TRUE(outcome.records[1].ends_batch);
}

TEST_F(SpoolTest, ABatchOfAnEarlierProcessIsClosedBeforeTheNextRecord) {
    {
        const auto writer = open_writer();
        append_and_commit(*writer, "a");
    }
    const auto writer = open_writer();
    append_and_commit(*writer, "b");
    const auto outcome = read_all(*open_reader());
    ASSERT_EQ(outcome.records.size(), 3U);
    EXPECT_EQ(outcome.records[1].kind, RecordKind::boundary);
    EXPECT_FALSE(outcome.records[2].ends_batch);
}

TEST_F(SpoolTest, ABatchOfAnEarlierProcessIsClosedWithoutAFurtherRecord) {
    {
        const auto writer = open_writer();
        append_and_commit(*writer, "a");
    }
    const auto writer = open_writer();
    ASSERT_TRUE(writer->next_maintenance());
    clock.advance(options.batch_interval);
    ASSERT_TRUE(writer->maintain());
    const auto outcome = read_all(*open_reader());
    ASSERT_EQ(outcome.records.size(), 2U);
    EXPECT_EQ(outcome.records[1].kind, RecordKind::boundary);
}

TEST_F(SpoolTest, WithoutTheVaultAnAppendFailsAndLaterSucceeds) {
    MITRAL_PROVES("T-DATA-01");
    const auto writer = open_writer();
    keys.away = true;
    const auto refused = writer->append(Lane::vitals, base::as_bytes("a"));
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().message().find("vault"), std::string::npos);
    keys.away = false;
    append_and_commit(*writer, "b");
    keys.away = true;  // a segment that is open needs no vault
    append_and_commit(*writer, "c");
    keys.away = false;
    EXPECT_THAT(read_all(*open_reader()).texts(), ElementsAre("b", "c"));
}

TEST_F(SpoolTest, AVaultThatStaysAwayIsNotAskedForEveryReading) {
    MITRAL_PROVES("T-DOS-03");
    struct Counting final : KeyIssuer {
        int asked = 0;
        base::Result<SegmentKey> new_segment_key() override {
            ++asked;
            return base::fail(SpoolError::key_refused, "away");
        }
    } issuer;
    auto writer = Writer::open(options, issuer, clock);
    ASSERT_TRUE(writer) << why(writer);
    for (int i = 0; i < 1000; ++i) {
        EXPECT_FALSE((*writer)->append(Lane::vitals, base::as_bytes("a")));
        clock.advance(base::Milliseconds(1));
    }
    EXPECT_GE(issuer.asked, 2);
    EXPECT_LT(issuer.asked, 10);
}

TEST_F(SpoolTest, AReaderWithoutTheVaultStandsStillAndLosesNothing) {
    MITRAL_PROVES("T-DATA-01");
    const auto writer = open_writer();
    append_and_commit(*writer, "a");
    const auto reader = open_reader();
    keys.away = true;
    EXPECT_TRUE(read_all(*reader).error);
    keys.away = false;
    EXPECT_THAT(read_all(*reader).texts(), ElementsAre("a"));
}

TEST_F(SpoolTest, ASecondWriterIsRefused) {
    const auto writer = open_writer();
    const auto second = Writer::open(options, keys, clock);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, SpoolError::in_use);
}

TEST_F(SpoolTest, FilesAndDirectoriesHaveTheStatedPermissions) {
    MITRAL_PROVES("T-DATA-03", "T-SW-06");
    const auto before = ::umask(0077);  // as the daemons run
    const auto writer = open_writer();
    append_and_commit(*writer, "a");
    ::umask(before);
    const auto mode = [](const std::string& path) {
        struct stat status{};
        EXPECT_EQ(::stat(path.c_str(), &status), 0);
        return status.st_mode & 07777U;
    };
    EXPECT_EQ(mode(options.directory), 0750U);
    EXPECT_EQ(mode(lane_directory()), 0750U);
    EXPECT_EQ(mode(lane_directory() + "/stream"), 0640U);
    EXPECT_EQ(mode(segments_of(lane_directory()).at(0)), 0640U);
}

}  // namespace
}  // namespace mitral::spool::test
