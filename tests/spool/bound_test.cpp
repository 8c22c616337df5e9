// Disk use is bounded; what goes is policy; a gap record says what went.
#include <gmock/gmock.h>

#include <filesystem>

#include "spool/errors.hpp"
#include "spool/gap.hpp"
#include "spool/ledger.hpp"
#include "spool/support.hpp"
#include "support/proves.hpp"
#include "support/result_matchers.hpp"

namespace mitral::spool::test {
namespace {

using mitral::test::failed_with;
using mitral::test::ok;

class BoundTest : public SpoolTest {
  protected:
    BoundTest() {
        options.max_bytes = 256 * 1024;
        options.segment_bytes = 16 * 1024;
    }

    void fill(Writer& writer, Lane lane, int records, Ledger* ledger = nullptr) {
        for (int i = 0; i < records; ++i) {
            const auto text = std::to_string(i) + std::string(1000, '.');
            const auto id = writer.append(lane, base::as_bytes(text));
            ASSERT_TRUE(ok(id));
            ASSERT_TRUE(ok(writer.commit()));
            if (ledger != nullptr)
                ledger->committed(id->sequence, text);
        }
    }

    Ledger read_ledger(Lane lane) {
        Ledger ledger;
        const auto reader = open_reader(lane);
        const auto outcome = read_all(*reader);
        EXPECT_FALSE(outcome.error) << outcome.message;
        for (const auto& record : outcome.records)
            ledger.delivered(record);
        return ledger;
    }

    std::uint64_t disk_use() const {
        std::uint64_t sum = 0;
        for (const auto& entry : std::filesystem::recursive_directory_iterator(options.directory))
            if (entry.is_regular_file())
                sum += entry.file_size();
        return sum;
    }
};

TEST_F(BoundTest, ABacklogNeverGrowsBeyondTheBoundAndEveryLostRecordIsTold) {
    MITRAL_PROVES("T-DOS-02", "T-DATA-01");
    const auto writer = open_writer();
    for (int i = 0; i < 40; ++i) {
        fill(*writer, Lane::vitals, 50);
        EXPECT_LE(disk_use(), options.max_bytes + 16 * 1024);
    }
    const auto usage = writer->usage(Lane::vitals);
    EXPECT_GT(usage.dropped_records, 1000U);
    const auto ledger = read_ledger(Lane::vitals);
    ledger.expect_exact(usage.last_sequence);
    EXPECT_EQ(ledger.gap_size(), usage.dropped_records);
}

TEST_F(BoundTest, GapsSurviveTheDroppingOfTheSegmentThatToldThem) {
    MITRAL_PROVES("T-DOS-02");
    for (int restart = 0; restart < 20; ++restart)
        fill(*open_writer(), Lane::vitals, 100);
    const auto writer = open_writer();
    const auto usage = writer->usage(Lane::vitals);
    const auto ledger = read_ledger(Lane::vitals);
    ledger.expect_exact(usage.last_sequence);
    EXPECT_EQ(ledger.gap_size(), usage.dropped_records);
}

TEST_F(BoundTest, WavesGoFirstThenVitalsNeverAlerts) {
    MITRAL_PROVES("T-DOS-02", "T-LOG-02");
    const auto writer = open_writer();
    fill(*writer, Lane::alerts, 40);
    fill(*writer, Lane::vitals, 60);
    fill(*writer, Lane::waves, 60);
    EXPECT_EQ(writer->usage(Lane::waves).dropped_records, 0U);
    fill(*writer, Lane::vitals, 100);
    EXPECT_GT(writer->usage(Lane::waves).dropped_records, 0U);
    EXPECT_EQ(writer->usage(Lane::vitals).dropped_records, 0U);
    fill(*writer, Lane::vitals, 100);
    EXPECT_GT(writer->usage(Lane::vitals).dropped_records, 0U);
    fill(*writer, Lane::alerts, 100);
    EXPECT_EQ(writer->usage(Lane::alerts).dropped_records, 0U);
    for (const auto lane : lanes_by_priority) {
        const auto usage = writer->usage(lane);
        const auto ledger = read_ledger(lane);
        ledger.expect_exact(usage.last_sequence);
        EXPECT_EQ(ledger.gap_size(), usage.dropped_records);
    }
}

TEST_F(BoundTest, AlertsAloneFillTheSpoolAndAreThenRefusedNotDropped) {
    MITRAL_PROVES("T-DOS-02", "T-LOG-02");
    const auto writer = open_writer();
    fill(*writer, Lane::vitals, 20);
    base::Status refused;
    std::uint64_t accepted = 0;
    while (refused && accepted < 10'000) {
        const auto id = writer->append(Lane::alerts, base::as_bytes(std::string(1000, 'a')));
        if (!id)
            refused = std::unexpected(id.error());
        else
            accepted = id->sequence;
        ASSERT_TRUE(ok(writer->commit()));
    }
    EXPECT_TRUE(failed_with(refused, SpoolError::full));
    EXPECT_EQ(writer->usage(Lane::alerts).last_sequence, accepted);
    EXPECT_GT(writer->usage(Lane::vitals).dropped_records, 0U);
    EXPECT_LE(disk_use(), options.max_bytes + 16 * 1024);
    // Once the hub has them there is room again.
    const auto reader = open_reader(Lane::alerts);
    EXPECT_EQ(read_all(*reader).texts().size(), accepted);
    reader->acknowledge(accepted);
    ASSERT_TRUE(ok(reader->persist()));
    EXPECT_TRUE(ok(writer->append(Lane::alerts, base::as_bytes("room"))));
}

TEST_F(BoundTest, AcknowledgedRecordsGoWithoutAGap) {
    MITRAL_PROVES("T-DOS-02");
    const auto writer = open_writer();
    const auto reader = open_reader();
    for (int i = 0; i < 50; ++i) {
        fill(*writer, Lane::vitals, 20);
        const auto outcome = read_all(*reader);
        ASSERT_EQ(outcome.texts().size(), 20U);
        reader->acknowledge(outcome.records.back().id.sequence);
        ASSERT_TRUE(ok(reader->persist()));
    }
    EXPECT_EQ(writer->usage(Lane::vitals).dropped_records, 0U);
}

TEST_F(BoundTest, AReaderInADroppedSegmentJumpsOnAndLearnsWhatWent) {
    MITRAL_PROVES("T-DOS-02", "T-DATA-01");
    const auto writer = open_writer();
    Ledger ledger;
    fill(*writer, Lane::vitals, 100, &ledger);
    const auto reader = open_reader();
    for (int i = 0; i < 5; ++i) {
        const auto record = reader->next();
        ASSERT_TRUE(ok(record));
        ledger.delivered(**record);
    }
    fill(*writer, Lane::vitals, 1000, &ledger);
    const auto outcome = read_all(*reader);
    EXPECT_FALSE(outcome.error) << outcome.message;
    for (const auto& record : outcome.records)
        ledger.delivered(record);
    ledger.expect_complete("after the jump");
    EXPECT_GT(ledger.gap_size(), 500U);
    EXPECT_LT(outcome.records.size(), 600U);
}

TEST_F(BoundTest, AGapCoversOnlyWhatWasNotAcknowledged) {
    MITRAL_PROVES("T-DOS-02");
    const auto writer = open_writer();
    fill(*writer, Lane::vitals, 10);
    const auto reader = open_reader();
    (void)read_all(*reader);
    reader->acknowledge(7);
    ASSERT_TRUE(ok(reader->persist()));
    fill(*writer, Lane::vitals, 400);
    const auto outcome = read_all(*reader);
    std::uint64_t first = ~0ULL;
    for (const auto& record : outcome.records)
        if (record.kind == RecordKind::gap)
            first = std::min(first, decode_gap(record.payload).value_or(Gap{}).first_sequence);
    EXPECT_EQ(first, 8U);
}

TEST_F(BoundTest, AGapTellsWhenItsRecordsWereWritten) {
    const auto writer = open_writer();
    const auto began = clock.wall();
    for (int i = 0; i < 300; ++i) {
        fill(*writer, Lane::vitals, 1);
        clock.advance(base::Milliseconds(10));
    }
    for (const auto& record : read_all(*open_reader()).records) {
        if (record.kind != RecordKind::gap)
            continue;
        EXPECT_TRUE(record.ends_batch);
        const auto gap = decode_gap(record.payload);
        ASSERT_TRUE(ok(gap));
        EXPECT_EQ(gap->lane, Lane::vitals);
        EXPECT_EQ(gap->reason, GapReason::bound_reached);
        EXPECT_GE(gap->first_written, began);
        EXPECT_LT(gap->first_written, gap->last_written);
        EXPECT_LE(gap->last_written, clock.wall());
    }
}

TEST_F(BoundTest, WithoutTheVaultTheMarkOfALossWaitsOnDisk) {
    MITRAL_PROVES("T-DOS-02", "T-DATA-01");
    {
        const auto writer = open_writer();
        fill(*writer, Lane::waves, 220);
    }
    {
        const auto writer = open_writer();  // the wave lane has no live segment now
        fill(*writer, Lane::vitals, 1);
        keys.away = true;
        while (writer->usage(Lane::waves).dropped_records == 0 &&
               writer->append(Lane::vitals, base::as_bytes(std::string(1000, 'v'))))
            ASSERT_TRUE(ok(writer->commit()));
        EXPECT_GT(writer->usage(Lane::waves).dropped_records, 0U);
        keys.away = false;
    }
    const auto writer = open_writer();
    const auto usage = writer->usage(Lane::waves);
    EXPECT_GT(usage.dropped_records, 0U);
    clock.advance(base::Milliseconds(10'000));
    ASSERT_TRUE(ok(writer->maintain()));
    const auto ledger = read_ledger(Lane::waves);
    ledger.expect_exact(writer->usage(Lane::waves).last_sequence);
    EXPECT_EQ(ledger.gap_size(), usage.dropped_records);
}

}  // namespace
}  // namespace mitral::spool::test
