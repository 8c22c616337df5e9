// I4: what commit() has returned from survives whatever the disk and the power do.
#include <gmock/gmock.h>

#include <array>
#include <random>

#include "spool/errors.hpp"
#include "spool/lane_files.hpp"
#include "spool/ledger.hpp"
#include "spool/open_writer.hpp"
#include "spool/segment_format.hpp"
#include "spool/simulated_disk.hpp"
#include "spool/support.hpp"
#include "support/proves.hpp"
#include "support/result_matchers.hpp"

namespace mitral::spool::test {
namespace {

using mitral::test::ok;

class CrashTest : public SpoolTest {
  protected:
    CrashTest() {
        options.max_bytes = 4U << 20;
        options.segment_bytes = 4096;
        options.batch_bytes = 2000;
    }

    static constexpr std::array<Lane, 2> lanes{Lane::vitals, Lane::waves};

    struct Books {
        std::array<Ledger, 2> of_lane;
        std::vector<std::tuple<std::size_t, std::uint64_t, std::string>> group;
        int payloads = 0;
    };

    void make_lanes() { (void)open_writer(); }

    void append_something(Writer& writer, Books& books, std::mt19937_64& random) {
        const std::size_t lane = random() % lanes.size();
        const auto payload = std::to_string(++books.payloads) + std::string(random() % 900, 'p');
        if (auto id = writer.append(lanes[lane], base::as_bytes(payload)))
            books.group.emplace_back(lane, id->sequence, payload);
        else
            clock.advance(base::Milliseconds(3'000));
    }

    static bool commit(Writer& writer, Books& books) {
        const bool done = writer.commit().has_value();
        if (done)
            for (auto& [lane, sequence, payload] : books.group)
                books.of_lane[lane].committed(sequence, payload);
        books.group.clear();
        return done;
    }

    void read_into(Books& books, std::size_t lane, LaneReader& reader) {
        const auto outcome = read_all(reader);
        EXPECT_FALSE(outcome.error) << outcome.message;
        for (const auto& record : outcome.records)
            books.of_lane[lane].delivered(record);
    }

    // Reads everything, and keeps the account.
    void settle(Books& books, const std::string& where) {
        for (std::size_t lane = 0; lane < lanes.size(); ++lane) {
            const auto reader = open_reader(lanes[lane]);
            read_into(books, lane, *reader);
            books.of_lane[lane].expect_complete(where + " " + std::string(to_string(lanes[lane])));
        }
    }

    void step(Writer& writer, Books& books, std::mt19937_64& random,
              std::array<std::unique_ptr<LaneReader>, 2>& readers) {
        const auto choice = random() % 100;
        if (choice < 60) {
            append_something(writer, books, random);
        } else if (choice < 85) {
            (void)commit(writer, books);
        } else if (choice < 90) {
            clock.advance(base::Milliseconds(static_cast<std::int64_t>(random() % 12'000)));
            if (books.group.empty())
                (void)writer.maintain();
        } else {
            const std::size_t lane = random() % lanes.size();
            read_into(books, lane, *readers[lane]);
            if (choice < 95) {
                const auto last = writer.usage(lanes[lane]).last_sequence;
                readers[lane]->acknowledge(last > 3 ? last - random() % 4 : last);
                EXPECT_TRUE(ok(readers[lane]->persist()));
            }
        }
    }
};

// Each operation of a run fails in turn: once, for a while, with half a write left behind.
TEST_F(CrashTest, NoFailureOfTheDiskLosesOrAltersACommittedRecord) {
    MITRAL_PROVES("T-DATA-01", "T-DATA-04");
    for (const int error_number : {ENOSPC, EIO}) {
        for (const std::uint64_t count : {1U, 4U}) {
            for (std::uint64_t at = 0; at < 90; ++at) {
                options.directory = scratch.path() + "/" + std::to_string(error_number) + "-" +
                                    std::to_string(count) + "-" + std::to_string(at);
                make_lanes();
                std::mt19937_64 random(at);
                Books books;
                SimulatedDisk disk(options.directory);
                disk.short_writes = at % 2 == 0;
                disk.fail(at, count, error_number);
                auto writer = spool::open_writer(options, keys, clock, disk);
                for (int retry = 0; !writer && retry < 10; ++retry)
                    writer = spool::open_writer(options, keys, clock, disk);
                ASSERT_TRUE(ok(writer));
                for (int i = 0; i < 40; ++i) {
                    append_something(**writer, books, random);
                    if (i % 3 == 2)
                        (void)commit(**writer, books);
                }
                clock.advance(base::Milliseconds(3'000));
                append_something(**writer, books, random);
                EXPECT_TRUE(commit(**writer, books)) << "the writer did not recover";
                EXPECT_EQ(disk.reused_nonces(), 0);
                settle(books, options.directory);
            }
        }
    }
}

TEST_F(CrashTest, AReaderNeverSeesAGroupThatFailed) {
    MITRAL_PROVES("T-DATA-01", "T-DATA-04");
    make_lanes();
    SimulatedDisk disk(options.directory);
    auto writer = spool::open_writer(options, keys, clock, disk);
    ASSERT_TRUE(ok(writer));
    append_and_commit(**writer, "before");
    const auto reader = open_reader();
    EXPECT_THAT(read_all(*reader).texts(), ::testing::ElementsAre("before"));
    disk.fail(1, 1, EIO);  // the write goes through, its sync fails
    append(**writer, "lost");
    EXPECT_FALSE((*writer)->commit());
    EXPECT_TRUE(disk.failed());
    EXPECT_THAT(read_all(*reader).texts(), ::testing::IsEmpty());
    append_and_commit(**writer, "after");
    EXPECT_THAT(read_all(*reader).texts(), ::testing::ElementsAre("after"));
    EXPECT_THAT(read_all(*open_reader()).texts(), ::testing::ElementsAre("before", "after"));
}

TEST_F(CrashTest, AFullDiskMakesRoomByDroppingAndRecovers) {
    MITRAL_PROVES("T-DATA-01", "T-DOS-02");
    make_lanes();
    SimulatedDisk disk(options.directory);
    auto writer = spool::open_writer(options, keys, clock, disk);
    ASSERT_TRUE(ok(writer));
    for (int i = 0; i < 30; ++i)
        append_and_commit(**writer, std::string(1000, 'w'), Lane::waves);
    append_and_commit(**writer, "first", Lane::vitals);
    disk.fail(0, 1, ENOSPC);
    append(**writer, "second", Lane::vitals);
    EXPECT_FALSE((*writer)->commit());
    EXPECT_GT((*writer)->usage(Lane::waves).dropped_records, 0U);
    append_and_commit(**writer, "second", Lane::vitals);
    EXPECT_THAT(read_all(*open_reader()).texts(), ::testing::ElementsAre("first", "second"));
    Ledger waves;
    for (const auto& record : read_all(*open_reader(Lane::waves)).records)
        waves.delivered(record);
    waves.expect_exact((*writer)->usage(Lane::waves).last_sequence);
}

// Refuses what needs space, and the sync of the mark by which a segment is given up.
class FullAndFailing final : public Storage {
  public:
    bool full = false;
    bool cuts_mark = false;  // all but its checksum reaches the disk
    bool refused_mark = false;

    base::Status write(int fd, base::ByteView content, std::uint64_t offset) override {
        if (full && content.size() > slot_size)
            return base::fail_errno(ENOSPC, "no space");
        const auto slot = decode_slot(content);
        marking_ = offset == slot_offset && slot && slot->dropped;
        if (marking_ && std::exchange(cuts_mark, false)) {
            refused_mark = true;
            MITRAL_CHECK(Storage::write(fd, content.first(slot_size - 4), offset));
            return base::fail_errno(ENOSPC, "no space");
        }
        return Storage::write(fd, content, offset);
    }
    base::Status sync(int fd) override {
        if (!full || !std::exchange(marking_, false))
            return Storage::sync(fd);
        refused_mark = true;
        return base::fail_errno(EIO, "no sync");
    }

  private:
    bool marking_ = false;
};

TEST_F(CrashTest, ASegmentWhoseMarkIsNotSyncedIsToldAsGivenUp) {
    MITRAL_PROVES("T-DATA-01", "T-DOS-02");
    make_lanes();
    FullAndFailing disk;
    auto writer = spool::open_writer(options, keys, clock, disk);
    ASSERT_TRUE(ok(writer));
    Ledger books;
    for (const auto* text : {"one", "two"}) {
        append_and_commit(**writer, text);
        books.committed((*writer)->usage(Lane::vitals).last_sequence, text);
    }
    disk.full = true;
    append(**writer, std::string(100, '3'));
    EXPECT_FALSE((*writer)->commit());
    EXPECT_TRUE(disk.refused_mark);
    disk.full = false;
    append_and_commit(**writer, "three");
    for (const auto& record : read_all(*open_reader()).records)
        books.delivered(record);
    books.expect_complete("while the writer runs");
    EXPECT_EQ(books.gap_size(), 2U);
}

TEST_F(CrashTest, ASegmentWhoseMarkIsCutShortIsNoDamage) {
    MITRAL_PROVES("T-DATA-01", "T-DOS-02");
    make_lanes();
    FullAndFailing disk;
    append_and_commit(*open_writer(), "one");
    auto writer = spool::open_writer(options, keys, clock, disk);
    ASSERT_TRUE(ok(writer));
    append_and_commit(**writer, "two");
    disk.full = disk.cuts_mark = true;
    append(**writer, std::string(100, '3'));
    EXPECT_FALSE((*writer)->commit());
    EXPECT_TRUE(disk.refused_mark);
    const auto seen = read_all(*open_reader());
    EXPECT_FALSE(seen.error) << seen.message;
}

TEST_F(CrashTest, AFullDiskGivesUpWhatTheHubHasBeforeWhatItHasNot) {
    MITRAL_PROVES("T-DATA-01", "T-DOS-02");
    make_lanes();
    SimulatedDisk disk(options.directory);
    const auto reader = open_reader();
    {
        auto writer = spool::open_writer(options, keys, clock, disk);
        ASSERT_TRUE(ok(writer));
        append_and_commit(**writer, "delivered");
    }
    auto writer = spool::open_writer(options, keys, clock, disk);
    ASSERT_TRUE(ok(writer));
    append_and_commit(**writer, "waiting");
    const auto delivered = read_all(*reader);
    reader->acknowledge(delivered.records.front().id.sequence);
    ASSERT_TRUE(ok(reader->persist()));
    disk.fail(0, 1, ENOSPC);
    append(**writer, "new");
    EXPECT_FALSE((*writer)->commit());
    EXPECT_TRUE(disk.failed());
    EXPECT_EQ((*writer)->usage(Lane::vitals).dropped_records, 0U);
    append_and_commit(**writer, "new");
    EXPECT_THAT(read_all(*open_reader()).texts(), ::testing::ElementsAre("waiting", "new"));
}

class PowerCutTest : public CrashTest, public ::testing::WithParamInterface<bool> {};

TEST_P(PowerCutTest, AfterAPowerCutEveryCommittedRecordIsThereAndNoNumberIsReused) {
    MITRAL_PROVES("T-DATA-01", "T-DATA-04");
    const bool bounded = GetParam();
    if (bounded)
        options.max_bytes = 96 * 1024;
    for (std::uint64_t seed = 0; seed < 40; ++seed) {
        options.directory = scratch.path() + "/cut-" + std::to_string(seed);
        make_lanes();
        std::mt19937_64 random(seed);
        Books books;
        std::array<std::unique_ptr<LaneReader>, 2> readers{open_reader(lanes[0]),
                                                           open_reader(lanes[1])};
        for (int cut = 0; cut < 6; ++cut) {
            SimulatedDisk disk(options.directory);
            disk.short_writes = true;
            disk.fail(random() % 150, ~0ULL, EIO);
            {
                auto writer = spool::open_writer(options, keys, clock, disk);
                for (int i = 0; writer && !disk.failed() && i < 2000; ++i)
                    step(**writer, books, random, readers);
            }
            books.group.clear();
            EXPECT_EQ(disk.reused_nonces(), 0);
            disk.cut_power(random);
            readers = {open_reader(lanes[0]), open_reader(lanes[1])};
            {
                const auto writer = open_writer();
                append_something(*writer, books, random);
                EXPECT_TRUE(commit(*writer, books));
            }
            settle(books, "seed " + std::to_string(seed) + " cut " + std::to_string(cut));
            if (HasFailure())
                return;
        }
    }
}

INSTANTIATE_TEST_SUITE_P(Bound, PowerCutTest, ::testing::Bool(),
                         [](const auto& instance) { return instance.param ? "reached" : "far"; });

}  // namespace
}  // namespace mitral::spool::test
