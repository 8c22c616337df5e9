// Damage and malice on disk: nothing wrong is ever handed out, and nothing is passed over in
// silence.
#include <gmock/gmock.h>
#include <sys/stat.h>

#include <filesystem>

#include "base/crypto.hpp"
#include "spool/acknowledgement.hpp"
#include "spool/errors.hpp"
#include "spool/frame_scanner.hpp"
#include "spool/support.hpp"
#include "support/proves.hpp"
#include "support/result_matchers.hpp"

namespace mitral::spool::test {
namespace {

using mitral::test::failed_with;
using mitral::test::ok;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class DamageTest : public SpoolTest {
  protected:
    // Three records in one closed segment.
    void write_three() {
        options.batch_bytes = 0;
        const auto writer = open_writer();
        for (const auto* text : {"first", "second", "third"})
            append(*writer, text);
        ASSERT_TRUE(ok(writer->commit()));
    }
    std::string segment() const { return segments_of(lane_directory()).at(0); }

    // Every outcome that is not an error has to be the undamaged one, or a silent stop is missed.
    void expect_detected(LaneReader& reader, const std::string& what) {
        ASSERT_TRUE(ok(reader.rewind()));
        const auto outcome = read_all(reader);
        EXPECT_TRUE(outcome.error) << what << " went unnoticed";
        const std::vector<std::string> all{"first", "second", "third"};
        const auto texts = outcome.texts();
        ASSERT_LE(texts.size(), all.size());
        for (std::size_t i = 0; i < texts.size(); ++i)
            EXPECT_EQ(texts[i], all[i]) << what;
    }

    // Offsets of the frames of a segment, and its end.
    static std::vector<std::size_t> frames(base::ByteView content) {
        std::vector<std::size_t> offsets;
        std::size_t at = header_size;
        while (const auto header = decode_frame_header(content.subspan(at))) {
            offsets.push_back(at);
            at += header->frame_size();
        }
        offsets.push_back(at);
        return offsets;
    }
};

TEST_F(DamageTest, TheUndamagedSegmentIsRead) {  // the control for what follows
    write_three();
    EXPECT_THAT(read_all(*open_reader()).texts(), ElementsAre("first", "second", "third"));
}

TEST_F(DamageTest, AFlippedBitAnywhereIsNoticed) {
    MITRAL_PROVES("T-DATA-02", "T-SW-04");
    write_three();
    const auto path = segment();
    const auto good = file_content(path);
    const auto reader = open_reader();
    for (std::size_t at = 0; at < good.size(); ++at) {
        for (const int bit : {0, 3, 7}) {
            auto bad = good;
            bad[at] = static_cast<std::uint8_t>(bad[at] ^ (1U << bit));
            set_file_content(path, bad);
            expect_detected(*reader,
                            "bit " + std::to_string(bit) + " of byte " + std::to_string(at));
        }
    }
}

TEST_F(DamageTest, EveryPrefixIsNoticed) {
    MITRAL_PROVES("T-DATA-02", "T-SW-04");
    write_three();
    const auto path = segment();
    const auto good = file_content(path);
    const auto reader = open_reader();
    for (std::size_t size = 0; size < good.size(); ++size) {
        set_file_content(path, base::ByteView(good).first(size));
        expect_detected(*reader, "cut at " + std::to_string(size));
    }
}

// A flip that also mends the checksum: only the authentication tag is left to see it.
TEST_F(DamageTest, AForgedRecordWithAGoodChecksumDoesNotAuthenticate) {
    MITRAL_PROVES("T-DATA-02", "T-SW-04");
    write_three();
    const auto path = segment();
    const auto good = file_content(path);
    const auto offsets = frames(good);
    for (auto at = offsets[0] + 16; at < offsets[1]; ++at) {
        auto bad = good;
        // the batch mark in the flags; then the body
        const unsigned mask = at == offsets[0] + 16 ? 0x80U : 0x01U;
        bad[at] = static_cast<std::uint8_t>(bad[at] ^ mask);
        const auto frame = base::MutableByteView(bad).subspan(offsets[0], offsets[1] - offsets[0]);
        auto sum = base::crc32c(frame.first(4));
        sum = base::crc32c(frame.subspan(8), sum);
        for (int i = 0; i < 4; ++i)
            frame[static_cast<std::size_t>(7 - i)] = static_cast<std::uint8_t>(sum >> (8 * i));
        set_file_content(path, bad);
        const auto outcome = read_all(*open_reader());
        EXPECT_EQ(outcome.error, SpoolError::tampered) << at;
        EXPECT_THAT(outcome.texts(), IsEmpty());
    }
}

TEST_F(DamageTest, SwappedRecordsAreNoticed) {
    MITRAL_PROVES("T-DATA-04", "T-SW-04");
    options.batch_bytes = 0;
    {
        const auto writer = open_writer();
        append(*writer, "aaaa");
        append(*writer, "bbbb");
        ASSERT_TRUE(ok(writer->commit()));
    }
    const auto path = segment();
    auto content = file_content(path);
    const auto offsets = frames(content);
    const auto size = offsets[1] - offsets[0];
    std::swap_ranges(content.begin() + static_cast<std::ptrdiff_t>(offsets[0]),
                     content.begin() + static_cast<std::ptrdiff_t>(offsets[0] + size),
                     content.begin() + static_cast<std::ptrdiff_t>(offsets[1]));
    set_file_content(path, content);
    EXPECT_TRUE(read_all(*open_reader()).error);
}

TEST_F(DamageTest, ASegmentUnderAnotherNumberIsNoticed) {
    MITRAL_PROVES("T-DATA-04", "T-SW-04");
    write_three();
    std::filesystem::rename(segment(), lane_directory() + "/00000000000000000002.seg");
    EXPECT_EQ(read_all(*open_reader()).error, SpoolError::damaged);
}

TEST_F(DamageTest, ASegmentOfAnotherLaneOrStreamIsNoticed) {
    MITRAL_PROVES("T-DATA-04", "T-SW-04");
    write_three();
    const auto path = segment();
    options.directory = scratch.path() + "/other";
    write_three();
    std::filesystem::copy(path, segment(), std::filesystem::copy_options::overwrite_existing);
    EXPECT_EQ(read_all(*open_reader()).error, SpoolError::damaged);
    const auto waves = lane_directory(Lane::waves) + "/00000000000000000001.seg";
    std::filesystem::copy(path, waves);
    EXPECT_EQ(read_all(*open_reader(Lane::waves)).error, SpoolError::damaged);
}

TEST_F(DamageTest, RecordsUnderAnotherSegmentsKeyDoNotAuthenticate) {
    MITRAL_PROVES("T-DATA-04", "T-DATA-02");
    write_three();
    const auto content = file_content(segment());
    FakeKeys other("two");
    auto reader = LaneReader::open(options.directory, Lane::vitals, ack_file(), other);
    ASSERT_TRUE(ok(reader));
    EXPECT_EQ(read_all(**reader).error, SpoolError::tampered);
}

TEST_F(DamageTest, AnOldCopyOfASegmentIsNoticed) {
    MITRAL_PROVES("T-DATA-04");
    options.batch_bytes = 0;
    const auto writer = open_writer();
    append_and_commit(*writer, "first");
    const auto old = file_content(segment());
    append_and_commit(*writer, "second");
    const auto reader = open_reader();
    (void)read_all(*reader);
    set_file_content(segment(), old);
    EXPECT_EQ(read_all(*reader).error, SpoolError::damaged);
}

TEST_F(DamageTest, SpecialFilesDoNotStopTheReader) {
    MITRAL_PROVES("T-SW-04", "T-DOS-04");
    write_three();
    const auto path = segment();
    std::filesystem::remove(path);
    ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
    EXPECT_TRUE(read_all(*open_reader()).error);
    std::filesystem::remove(path);
    std::filesystem::create_symlink("/etc/passwd", path);
    EXPECT_TRUE(read_all(*open_reader()).error);
    std::filesystem::remove(path);
    std::filesystem::create_directory(path);
    EXPECT_TRUE(read_all(*open_reader()).error);
}

TEST_F(DamageTest, SkippingGivesUpTheRecordThatCannotBeRead) {
    MITRAL_PROVES("T-DATA-02", "T-DATA-01");
    write_three();
    auto content = file_content(segment());
    content[frames(content)[1] + frame_header_size] ^= 1;
    set_file_content(segment(), content);
    const auto reader = open_reader();
    auto outcome = read_all(*reader);
    EXPECT_THAT(outcome.texts(), ElementsAre("first"));
    EXPECT_EQ(outcome.error, SpoolError::damaged);
    const auto skipped = reader->skip_damage();
    ASSERT_TRUE(ok(skipped));
    const Gap* gap = &skipped->gap;
    EXPECT_EQ(gap->first_sequence, 2U);
    EXPECT_EQ(gap->last_sequence, 2U);
    EXPECT_EQ(gap->reason, GapReason::unreadable);
    EXPECT_THAT(read_all(*reader).texts(), ElementsAre("third"));
    reader->acknowledge(3);
    EXPECT_EQ(reader->acknowledged(), 3U);
}

TEST_F(DamageTest, WhereTheNextRecordCannotBeFoundTheRestOfTheSegmentIsGivenUp) {
    MITRAL_PROVES("T-DATA-02", "T-DATA-01");
    write_three();
    {
        const auto writer = open_writer();
        append_and_commit(*writer, "fourth");
    }
    auto content = file_content(segment());
    content[frames(content)[1]] = 0x7F;  // its size
    set_file_content(segment(), content);
    const auto reader = open_reader();
    EXPECT_THAT(read_all(*reader).texts(), ElementsAre("first"));
    const auto skipped = reader->skip_damage();
    ASSERT_TRUE(ok(skipped));
    const Gap* gap = &skipped->gap;
    EXPECT_EQ(gap->first_sequence, 2U);
    EXPECT_EQ(gap->last_sequence, 3U);
    EXPECT_THAT(read_all(*reader).texts(), ElementsAre("fourth"));
}

TEST_F(DamageTest, ASegmentWithoutItsHeaderIsGivenUpWhole) {
    MITRAL_PROVES("T-DATA-02", "T-DATA-01");
    write_three();
    {
        const auto writer = open_writer();
        append_and_commit(*writer, "fourth");
    }
    auto content = file_content(segment());
    content[3] ^= 1;
    set_file_content(segment(), content);
    const auto reader = open_reader();
    EXPECT_EQ(read_all(*reader).error, SpoolError::damaged);
    const auto skipped = reader->skip_damage();
    ASSERT_TRUE(ok(skipped));
    const Gap* gap = &skipped->gap;
    EXPECT_EQ(gap->first_sequence, 1U);
    EXPECT_EQ(gap->last_sequence, 3U);
    EXPECT_THAT(read_all(*reader).texts(), ElementsAre("fourth"));
}

TEST_F(DamageTest, ADeletedSegmentInTheMiddleIsNoticed) {
    MITRAL_PROVES("T-DATA-02");
    options.batch_bytes = 0;
    for (const auto* text : {"a", "b", "c"})
        append_and_commit(*open_writer(), text);
    std::filesystem::remove(segments_of(lane_directory()).at(1));
    const auto reader = open_reader();
    const auto outcome = read_all(*reader);
    EXPECT_THAT(outcome.texts(), ElementsAre("a"));
    EXPECT_EQ(outcome.error, SpoolError::damaged);
    const auto skipped = reader->skip_damage();
    ASSERT_TRUE(ok(skipped));
    const Gap* gap = &skipped->gap;
    EXPECT_EQ(gap->first_sequence, 2U);
    EXPECT_EQ(gap->last_sequence, 2U);
    EXPECT_THAT(read_all(*reader).texts(), ElementsAre("c"));
}

TEST_F(DamageTest, AWriterNeverGivesANumberOfADamagedSegmentOutAgain) {
    MITRAL_PROVES("T-DATA-04");
    write_three();
    const auto good = file_content(segment());
    for (std::size_t at = 0; at < good.size(); ++at) {
        for (const auto& path : segments_of(lane_directory()))
            std::filesystem::remove(path);
        auto bad = good;
        bad[at] ^= 0x10;
        set_file_content(lane_directory() + "/00000000000000000001.seg", bad);
        const auto writer = open_writer();
        const auto id = writer->append(Lane::vitals, base::as_bytes("x"));
        ASSERT_TRUE(ok(id));
        EXPECT_GE(id->sequence, 4U) << "after damage at " << at;
    }
}

TEST_F(DamageTest, AWriterMendsALostCommittedSize) {
    MITRAL_PROVES("T-DATA-01");
    write_three();
    auto content = file_content(segment());
    content[slot_offset + 3] ^= 1;
    set_file_content(segment(), content);
    EXPECT_EQ(read_all(*open_reader()).error, SpoolError::damaged);
    const auto writer = open_writer();
    append_and_commit(*writer, "fourth");
    EXPECT_THAT(read_all(*open_reader()).texts(),
                ElementsAre("first", "second", "third", "fourth"));
}

TEST_F(DamageTest, AHostileAcknowledgementDeletesNothing) {
    MITRAL_PROVES("T-SW-04", "T-DATA-01");
    options.segment_bytes = 4096;
    options.batch_bytes = 0;
    const auto writer = open_writer();
    for (int i = 0; i < 20; ++i)
        append_and_commit(*writer, std::string(1000, 'x'));
    const auto reader = open_reader();
    const auto stream = read_all(*reader).records.at(0).id.stream;
    const auto segments = segments_of(lane_directory()).size();
    const auto expect_untouched = [&](const std::string& what) {
        ASSERT_TRUE(ok(writer->maintain()));
        EXPECT_EQ(segments_of(lane_directory()).size(), segments) << what;
        EXPECT_EQ(writer->usage(Lane::vitals).acknowledged_sequence, 0U) << what;
    };
    ASSERT_TRUE(ok(write_acknowledgement(ack_file(), {stream, 21})));
    expect_untouched("beyond the last record");
    ASSERT_TRUE(ok(write_acknowledgement(ack_file(), {stream, max_sequence})));
    expect_untouched("far beyond the last record");
    ASSERT_TRUE(ok(write_acknowledgement(ack_file(), {stream + 1, 20})));
    expect_untouched("of another stream");
    const auto good = [&] {
        EXPECT_TRUE(ok(write_acknowledgement(ack_file(), {stream, 20})));
        return file_content(ack_file());
    }();
    for (std::size_t at = 0; at < good.size(); ++at) {
        auto bad = good;
        bad[at] ^= 4;
        set_file_content(ack_file(), bad);
        expect_untouched("flipped at " + std::to_string(at));
        set_file_content(ack_file(), base::ByteView(good).first(at));
        expect_untouched("cut at " + std::to_string(at));
    }
    std::filesystem::remove(ack_file());
    ASSERT_EQ(::mkfifo(ack_file().c_str(), 0600), 0);
    expect_untouched("a FIFO");
    std::filesystem::remove(ack_file());
    set_file_content(ack_file(), good);  // the control
    ASSERT_TRUE(ok(writer->maintain()));
    EXPECT_EQ(segments_of(lane_directory()).size(), 1U);
}

TEST_F(DamageTest, AnAcknowledgementOfALaneThatWasLostDoesNotCoverItsSuccessor) {
    MITRAL_PROVES("T-DATA-01", "T-DATA-04");
    write_three();
    {
        const auto reader = open_reader();
        (void)read_all(*reader);
        reader->acknowledge(3);
        ASSERT_TRUE(ok(reader->persist()));
    }
    std::filesystem::remove_all(options.directory);
    write_three();
    EXPECT_EQ(read_all(*open_reader()).texts().size(), 3U);
}

TEST_F(DamageTest, NeitherReadingsNorKeysAreOnTheDisk) {
    MITRAL_PROVES("T-DATA-03", "T-PHY-01");
    {
        const auto writer = open_writer();
        append_and_commit(*writer, "MDC_ECG_HEART_RATE 62.8");
        append_and_commit(*writer, "MDC_ECG_HEART_RATE 62.9", Lane::waves);
    }
    base::Bytes disk;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(scratch.path())) {
        if (!entry.is_regular_file())
            continue;
        const auto content = file_content(entry.path().string());
        disk.insert(disk.end(), content.begin(), content.end());
    }
    EXPECT_TRUE(contains(disk, "MITRSPOL"));  // the search finds what is there
    EXPECT_FALSE(contains(disk, "MDC_ECG"));
    ASSERT_EQ(keys.keys.size(), 2U);
    for (const auto& key : keys.keys) {
        EXPECT_FALSE(contains(disk, base::as_text(key)));
        EXPECT_FALSE(contains(disk, base::as_text(base::ByteView(key).first(8))));
    }
}

TEST_F(DamageTest, EqualReadingsDoNotLookEqual) {
    MITRAL_PROVES("T-DATA-03", "T-DATA-04");
    const std::string payload(64, 'z');
    {
        const auto writer = open_writer();
        append_and_commit(*writer, payload);
        append_and_commit(*writer, payload);
    }
    append_and_commit(*open_writer(), payload);
    std::set<std::string> bodies;
    for (const auto& path : segments_of(lane_directory())) {
        const auto content = file_content(path);
        const auto offsets = frames(content);
        for (std::size_t i = 0; i + 1 < offsets.size(); ++i)
            if (offsets[i + 1] - offsets[i] == payload.size() + frame_overhead)
                bodies.emplace(base::as_text(base::ByteView(content).subspan(
                    offsets[i] + frame_header_size, payload.size())));
    }
    EXPECT_EQ(bodies.size(), 3U);
}

}  // namespace
}  // namespace mitral::spool::test
