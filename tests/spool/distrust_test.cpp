// Keys that a wipe has voided, and positions that a compromised writer made up.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <unistd.h>

#include <filesystem>

#include "base/file.hpp"
#include "spool/acknowledgement.hpp"
#include "spool/errors.hpp"
#include "spool/support.hpp"
#include "support/proves.hpp"
#include "support/result_matchers.hpp"

namespace mitral::spool::test {
namespace {

using mitral::test::ok;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class VoidKeyTest : public SpoolTest {};

TEST_F(VoidKeyTest, ASegmentUnderAVoidKeyIsGivenUpWholeAndNamed) {
    MITRAL_PROVES("T-PHY-03", "T-DATA-01");
    options.batch_bytes = 0;
    for (const auto* text : {"a", "b", "c"})
        append_and_commit(*open_writer(), text);
    keys.wipe();
    append_and_commit(*open_writer(), "after the wipe");
    const auto reader = open_reader();
    for (std::uint64_t lost = 1; lost <= 3; ++lost) {
        EXPECT_EQ(read_all(*reader).error, SpoolError::key_void);
        const auto skipped = reader->skip_damage();
        ASSERT_TRUE(ok(skipped));
        EXPECT_EQ(skipped->gap.first_sequence, lost);
        EXPECT_EQ(skipped->gap.last_sequence, lost);
        EXPECT_EQ(skipped->gap.reason, GapReason::key_void);
        EXPECT_NE(skipped->stream, 0U);
        EXPECT_THAT(skipped->told, IsEmpty());
    }
    EXPECT_THAT(read_all(*reader).texts(), ElementsAre("after the wipe"));
    reader->acknowledge(4);
    EXPECT_EQ(reader->acknowledged(), 4U);
}

TEST_F(VoidKeyTest, TheVaultIsAskedOnceForASegment) {
    MITRAL_PROVES("T-TOK-04");
    append_and_commit(*open_writer(), "a");
    keys.wipe();
    const auto reader = open_reader();
    for (int i = 0; i < 5; ++i)
        EXPECT_EQ(read_all(*reader).error, SpoolError::key_void);
    EXPECT_EQ(keys.opened, 1);
}

TEST_F(VoidKeyTest, AVaultThatIsAwayVoidsNothing) {  // the control
    MITRAL_PROVES("T-DATA-01");
    append_and_commit(*open_writer(), "a");
    keys.away = true;
    const auto reader = open_reader();
    const auto error = read_all(*reader).error;
    EXPECT_TRUE(error);
    EXPECT_NE(error, SpoolError::key_void);
    keys.away = false;
    EXPECT_THAT(read_all(*reader).texts(), ElementsAre("a"));
}

TEST_F(VoidKeyTest, AKeyOfAnImpossibleSizeIsVoid) {
    MITRAL_PROVES("T-SW-04");
    append_and_commit(*open_writer(), "a");
    struct Short final : KeyOpener {
        base::Result<base::Secret> open_segment_key(base::ByteView) override {
            return base::Secret(16);
        }
    } opener;
    const auto reader = LaneReader::open(options.directory, Lane::vitals, ack_file(), opener);
    ASSERT_TRUE(ok(reader));
    EXPECT_EQ(read_all(**reader).error, SpoolError::key_void);
    EXPECT_TRUE(ok((*reader)->skip_damage()));
}

// The gap of what the bound dropped is told in the segment that is lost now.
TEST_F(VoidKeyTest, GapsToldUnderAVoidKeyAreToldStill) {
    MITRAL_PROVES("T-PHY-03", "T-DOS-02");
    options.max_bytes = 64 * 1024;
    options.batch_bytes = 0;
    {
        const auto writer = open_writer();
        for (int i = 0; i < 100; ++i)
            append_and_commit(*writer, std::string(2'000, 'x'));
    }
    keys.wipe();
    const auto reader = open_reader();
    std::set<std::uint64_t> named;
    while (read_all(*reader).error == SpoolError::key_void) {
        const auto skipped = reader->skip_damage();
        ASSERT_TRUE(ok(skipped));
        auto gaps = skipped->told;
        gaps.push_back(skipped->gap);
        for (const auto& gap : gaps)
            for (auto number = gap.first_sequence; number <= gap.last_sequence; ++number)
                named.insert(number);
    }
    ASSERT_FALSE(named.empty());
    EXPECT_EQ(*named.begin(), 1U);
    EXPECT_GE(*named.rbegin(), 100U);
    EXPECT_EQ(named.size(), *named.rbegin());  // without a hole
}

// The position passes over a hole when the reader jumps, long before it reads the gap record.
TEST_F(VoidKeyTest, AGapBelowTheAcknowledgedRecordIsToldStill) {
    MITRAL_PROVES("T-PHY-03", "T-DATA-01");
    options.max_bytes = 64 * 1024;
    options.batch_bytes = 0;
    {
        const auto writer = open_writer();
        for (int i = 0; i < 100; ++i)
            append_and_commit(*writer, std::string(2'000, 'x'));
    }
    const auto reader = open_reader();
    const auto first = reader->next();
    ASSERT_TRUE(ok(first));
    ASSERT_TRUE(*first);
    const auto hole_end = (*first)->id.sequence - 1;
    ASSERT_GT(hole_end, 0U);
    reader->acknowledge(hole_end + 1);
    keys.wipe();
    std::uint64_t told_to = 0;
    while (read_all(*reader).error == SpoolError::key_void) {
        const auto skipped = reader->skip_damage();
        ASSERT_TRUE(ok(skipped));
        for (const auto& gap : skipped->told)
            told_to = std::max(told_to, gap.last_sequence);
    }
    EXPECT_GE(told_to, hole_end);
}

TEST_F(VoidKeyTest, AWriterTakesAFreshKeyInTime) {
    MITRAL_PROVES("T-PHY-03", "T-DATA-01");
    options.batch_bytes = 0;
    const auto writer = open_writer();
    append_and_commit(*writer, "before");
    keys.wipe();
    clock.advance(options.segment_interval - base::Milliseconds(1));
    append_and_commit(*writer, "in the window");
    EXPECT_EQ(keys.issued, 1);
    clock.advance(base::Milliseconds(1));
    append_and_commit(*writer, "after");
    EXPECT_EQ(keys.issued, 2);
    const auto reader = open_reader();
    EXPECT_EQ(read_all(*reader).error, SpoolError::key_void);
    const auto skipped = reader->skip_damage();
    ASSERT_TRUE(ok(skipped));
    EXPECT_EQ(skipped->gap.first_sequence, 1U);
    EXPECT_EQ(skipped->gap.last_sequence, 2U);
    EXPECT_THAT(read_all(*reader).texts(), ElementsAre("after"));
}

TEST_F(VoidKeyTest, AnIdleLaneTakesNoKeys) {
    const auto writer = open_writer();
    append_and_commit(*writer, "a");
    for (int i = 0; i < 10; ++i) {
        clock.advance(options.segment_interval);
        ASSERT_TRUE(ok(writer->maintain()));
    }
    EXPECT_LE(keys.issued, 2);  // one more for the end of the batch
}

TEST_F(VoidKeyTest, WithoutTheVaultTheOldKeyServesOnAndTheVaultIsNotAskedForEveryGroup) {
    MITRAL_PROVES("T-DOS-03", "T-DATA-01");
    struct Counting final : KeyIssuer {
        explicit Counting(FakeKeys& inner) : keys(inner) {}
        FakeKeys& keys;
        int asked = 0;
        base::Result<SegmentKey> new_segment_key() override {
            ++asked;
            return keys.new_segment_key();
        }
    } issuer(keys);
    options.batch_bytes = 0;
    const auto opened = Writer::open(options, issuer, clock);
    ASSERT_TRUE(ok(opened));
    append_and_commit(**opened, "a");
    keys.away = true;
    clock.advance(options.segment_interval);
    for (int i = 0; i < 50; ++i)
        append_and_commit(**opened, "b");
    EXPECT_EQ(issuer.asked, 2);
    keys.away = false;
    clock.advance(base::Milliseconds(10'000));
    append_and_commit(**opened, "c");
    EXPECT_EQ(segments_of(lane_directory()).size(), 2U);
}

class FalsePositionTest : public SpoolTest {
  protected:
    static constexpr std::size_t junk_size = 64;

    void SetUp() override { options.batch_bytes = 0; }
    void write(int count) {
        const auto writer = open_writer();
        for (int i = 0; i < count; ++i)
            append_and_commit(*writer, "x");
    }
    // Does to the oldest segment's slot what a compromised writer could.
    template <typename Change>
    void change_slot(Change change) {
        const auto fd = base::open_file(segments_of(lane_directory()).at(0), O_RDWR);
        ASSERT_TRUE(ok(fd));
        SlotBytes bytes{};
        ASSERT_EQ(::pread(fd->get(), bytes.data(), bytes.size(), slot_offset),
                  static_cast<ssize_t>(bytes.size()));
        auto slot = decode_slot(bytes);
        ASSERT_TRUE(slot);
        change(*slot, fd->get());
        bytes = encode_slot(*slot);
        ASSERT_EQ(::pwrite(fd->get(), bytes.data(), bytes.size(), slot_offset),
                  static_cast<ssize_t>(bytes.size()));
    }
    void claim_everything() {
        change_slot([](Slot& slot, int fd) {
            const base::Bytes junk(junk_size, 0xEE);
            (void)!::pwrite(fd, junk.data(), junk.size(), static_cast<off_t>(slot.size));
            slot.size += junk_size;
            slot.last_sequence = max_sequence;
        });
    }
};

TEST_F(FalsePositionTest, TheSlotMovesThePositionNoFurtherThanTheFileCanHold) {
    MITRAL_PROVES("T-SW-04", "T-DATA-01");
    write(5);
    const auto most = std::filesystem::file_size(segments_of(lane_directory()).at(0)) + junk_size;
    claim_everything();
    const auto reader = open_reader();
    const auto backlog = reader->backlog();
    ASSERT_TRUE(ok(backlog));
    EXPECT_LE(*backlog, most / frame_overhead);
    EXPECT_EQ(read_all(*reader).error, SpoolError::damaged);
    const auto skipped = reader->skip_damage();
    ASSERT_TRUE(ok(skipped));
    EXPECT_EQ(skipped->gap.first_sequence, 6U);
    EXPECT_LE(skipped->gap.last_sequence, most / frame_overhead);
    // Neither does a size that the file does not have.
    change_slot([](Slot& slot, int) { slot.size = max_sequence; });
    const auto again = open_reader();
    EXPECT_LE(again->backlog().value(), most / frame_overhead);
}

TEST_F(FalsePositionTest, APositionBehindTheEndStartsOverInsteadOfWaiting) {
    MITRAL_PROVES("T-SW-04", "T-DATA-01");
    write(3);
    const auto stream = read_all(*open_reader()).records.at(0).id.stream;
    for (const std::uint64_t position : {std::uint64_t{4}, std::uint64_t{1'000}, max_sequence}) {
        ASSERT_TRUE(ok(write_acknowledgement(ack_file(), {stream, position})));
        const auto reader = open_reader();
        EXPECT_EQ(read_all(*reader).texts().size(), 3U) << position;
        reader->acknowledge(3);
        EXPECT_EQ(reader->acknowledged(), 3U);
        ASSERT_TRUE(ok(reader->persist()));
        EXPECT_EQ(read_acknowledgement(ack_file()).value()->sequence, 3U);
    }
    EXPECT_THAT(read_all(*open_reader()).texts(), IsEmpty());  // the control: at the end is fine
    write(1);
    EXPECT_EQ(read_all(*open_reader()).texts().size(), 1U);
}

// After a power cut the slot may be older than the records: nothing is wrong then.
TEST_F(FalsePositionTest, ASlotOlderThanTheRecordsIsNotTheEnd) {
    MITRAL_PROVES("T-DATA-01");
    write(5);
    const auto stream = read_all(*open_reader()).records.at(0).id.stream;
    ASSERT_TRUE(ok(write_acknowledgement(ack_file(), {stream, 5})));
    change_slot([](Slot& slot, int) {
        slot.size -= 2 * (frame_overhead + 1);
        slot.last_sequence = 3;
    });
    const auto reader = open_reader();
    EXPECT_THAT(read_all(*reader).texts(), IsEmpty());
    EXPECT_EQ(reader->acknowledged(), 5U);
    write(1);
    const auto outcome = read_all(*reader);
    EXPECT_EQ(outcome.texts().size(), 1U) << outcome.message;
}

}  // namespace
}  // namespace mitral::spool::test
