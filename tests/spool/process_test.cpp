// Real processes: a writer that is killed, a reader beside a writer, a disk that is really full.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <grp.h>
#include <poll.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <random>

#include "base/fd.hpp"
#include "base/file.hpp"
#include "spool/errors.hpp"
#include "spool/ledger.hpp"
#include "spool/support.hpp"
#include "support/proves.hpp"
#include "support/result_matchers.hpp"

namespace mitral::spool::test {
namespace {

using mitral::test::ok;

struct Pipe {
    base::UniqueFd read_end, write_end;
    Pipe() {
        int ends[2];
        if (::pipe(ends) != 0)
            std::abort();
        read_end.reset(ends[0]);
        write_end.reset(ends[1]);
        (void)::fcntl(ends[1], F_SETPIPE_SZ, 4096);  // the child does not run far ahead
    }
};

std::string payload_of(std::uint64_t sequence) {
    return "reading-" + std::to_string(sequence) + std::string(sequence % 500, '.');
}

class ProcessTest : public SpoolTest {
  protected:
    ProcessTest() {
        options.segment_bytes = 32 * 1024;
        options.batch_bytes = 0;  // numbers and payloads then correspond
    }

    // The child's life: commits records and reports each group's last number when commit() has
    // returned.
    [[noreturn]] void write_for_ever(int report) {
        const base::SystemClock system;
        std::mt19937_64 random(static_cast<std::uint64_t>(::getpid()));
        auto writer = Writer::open(options, keys, system);
        std::uint64_t last = writer ? (*writer)->usage(Lane::vitals).last_sequence : 0;
        while (writer) {
            for (auto i = random() % 8; i > 0; --i) {
                const auto id =
                    (*writer)->append(Lane::vitals, base::as_bytes(payload_of(last + 1)));
                if (!id || id->sequence != last + 1)
                    ::_exit(2);
                last = id->sequence;
            }
            if (!(*writer)->commit() ||
                ::write(report, &last, sizeof last) != static_cast<ssize_t>(sizeof last))
                ::_exit(3);
        }
        ::_exit(1);
    }

    static std::uint64_t read_report(int fd) {
        std::uint64_t value = 0;
        return ::read(fd, &value, sizeof value) == static_cast<ssize_t>(sizeof value) ? value : 0;
    }
};

TEST_F(ProcessTest, AfterKillNineEveryReportedRecordIsThere) {
    MITRAL_PROVES("T-DATA-01", "T-DATA-04");
    std::mt19937_64 random(7);
    Ledger ledger;
    std::uint64_t known = 0;
    for (int round = 0; round < 25; ++round) {
        Pipe pipe;
        const pid_t child = ::fork();
        ASSERT_GE(child, 0);
        if (child == 0)
            write_for_ever(pipe.write_end.get());
        pipe.write_end.reset();
        const auto reader = open_reader();
        for (auto i = random() % 60 + 1; i > 0; --i)
            known = std::max(known, read_report(pipe.read_end.get()));
        for (const auto& record : read_all(*reader).records)  // while the child goes on
            ledger.delivered(record);
        reader->acknowledge(known / 2);
        ASSERT_TRUE(ok(reader->persist()));
        ASSERT_EQ(::kill(child, SIGKILL), 0);
        int status = 0;
        ASSERT_EQ(::waitpid(child, &status, 0), child);
        ASSERT_TRUE(WIFSIGNALED(status)) << "the writer gave up: " << status;
        while (const auto reported = read_report(pipe.read_end.get()))
            known = std::max(known, reported);
    }
    (void)open_writer();  // recovers
    const auto outcome = read_all(*open_reader());
    EXPECT_FALSE(outcome.error) << outcome.message;
    for (const auto& record : outcome.records)
        ledger.delivered(record);
    for (std::uint64_t sequence = 1; sequence <= known; ++sequence)
        ledger.committed(sequence, payload_of(sequence));
    EXPECT_GT(known, 100U);
    ledger.expect_complete("after the kills");
}

TEST_F(ProcessTest, AReaderFollowsAWriterInAnotherProcessByItsWakeDescriptorAlone) {
    MITRAL_PROVES("T-DATA-01");
    constexpr std::uint64_t wanted = 5000;
    const auto reader = open_reader();
    Pipe pipe;
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0)
        write_for_ever(pipe.write_end.get());
    pipe.write_end.reset();
    std::uint64_t expected = 1;
    while (expected <= wanted) {
        std::array<pollfd, 2> entries{pollfd{reader->wake_descriptor(), POLLIN, 0},
                                      pollfd{pipe.read_end.get(), POLLIN, 0}};
        ASSERT_GT(::poll(entries.data(), entries.size(), 20'000), 0) << "the reader was not woken";
        if ((entries[1].revents & POLLIN) != 0)
            (void)read_report(pipe.read_end.get());
        if ((entries[0].revents & POLLIN) == 0)
            continue;
        const auto outcome = read_all(*reader);
        ASSERT_FALSE(outcome.error) << outcome.message;
        for (const auto& record : outcome.records) {
            ASSERT_EQ(record.id.sequence, expected);
            ASSERT_EQ(base::as_text(record.payload), payload_of(expected));
            ++expected;
        }
        reader->acknowledge(expected - 1);
        ASSERT_TRUE(ok(reader->persist()));
    }
    ASSERT_EQ(::kill(child, SIGKILL), 0);
    ASSERT_EQ(::waitpid(child, nullptr, 0), child);
}

// A file size limit stands in for the disk's end where no file system may be mounted.
TEST_F(ProcessTest, AtTheLimitOfFileSizeAppendsFailAndNothingCommittedIsLost) {
    MITRAL_PROVES("T-DATA-01", "T-DOS-02");
    Pipe pipe;
    options.segment_bytes = 1U << 20;
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
        ::signal(SIGXFSZ, SIG_IGN);
        const rlimit limit{40'000, 40'000};
        if (::setrlimit(RLIMIT_FSIZE, &limit) != 0)
            ::_exit(10);
        auto writer = Writer::open(options, keys, clock);
        if (!writer)
            ::_exit(11);
        int failures = 0;
        std::uint64_t committed = 0;
        for (int i = 0; i < 200; ++i) {
            clock.advance(base::Milliseconds(3'000));
            const auto id = (*writer)->append(Lane::alerts, base::as_bytes(std::string(1000, 'a')));
            if (id && (*writer)->commit())
                ++committed;
            else
                ++failures;
        }
        if (::write(pipe.write_end.get(), &committed, sizeof committed) < 0)
            ::_exit(12);
        ::_exit(failures > 0 ? 0 : 13);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFEXITED(status));
    EXPECT_EQ(WEXITSTATUS(status), 0);
    const auto committed = read_report(pipe.read_end.get());
    EXPECT_GT(committed, 100U);  // the writer went on in new segments
    EXPECT_EQ(read_all(*open_reader(Lane::alerts)).texts().size(), committed);
}

// A file system of 2 MiB, in a mount namespace of the child's.
TEST_F(ProcessTest, OnAFullFileSystemTheOldestGoAndTheAccountIsWhole) {
    MITRAL_PROVES("T-DATA-01", "T-DOS-02");
    Pipe pipe;
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
        if (::unshare(CLONE_NEWNS) != 0 ||
            ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
            ::mount("spool", scratch.path().c_str(), "tmpfs", 0, "size=2m") != 0)
            ::_exit(77);
        options.segment_bytes = 128 * 1024;
        Ledger ledger;
        std::uint64_t failures = 0;
        {
            const auto writer = open_writer();
            for (int i = 0; i < 6000; ++i) {
                const auto payload = std::to_string(i) + std::string(1000, 'v');
                const auto id = writer->append(Lane::vitals, base::as_bytes(payload));
                if (id && writer->commit())
                    ledger.committed(id->sequence, payload);
                else
                    ++failures;
                clock.advance(base::Milliseconds(100));
            }
        }
        const auto outcome = read_all(*open_reader());
        for (const auto& record : outcome.records)
            ledger.delivered(record);
        ledger.expect_complete("full file system");
        EXPECT_FALSE(outcome.error) << outcome.message;
        EXPECT_GT(failures, 0U);
        EXPECT_LT(failures, 500U);
        EXPECT_GT(ledger.gap_size(), 1000U);
        EXPECT_GT(ledger.delivered_size(), 500U);
        ::_exit(HasFailure() ? 1 : 0);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFEXITED(status));
    if (WEXITSTATUS(status) == 77)
        GTEST_SKIP() << "may not mount here";
    EXPECT_EQ(WEXITSTATUS(status), 0);
}

// Two users: the reader belongs to the group and may not write.
TEST_F(ProcessTest, AnotherUserOfTheGroupReadsAndCannotWrite) {
    MITRAL_PROVES("T-SW-06", "T-DATA-03");
    if (::geteuid() != 0)
        GTEST_SKIP() << "needs root to become two users";
    constexpr unsigned reader_user = 61'001, reader_group = 61'002, stranger = 61'003;
    ASSERT_EQ(::chmod(scratch.path().c_str(), 0711), 0);
    options.group_id = static_cast<int>(reader_group);
    const auto before = ::umask(0077);
    const auto writer = open_writer();
    append_and_commit(*writer, "a");
    ::umask(before);
    const auto as_user = [&](unsigned user, unsigned group, const auto& task) {
        const pid_t child = ::fork();
        if (child == 0) {
            if (::setgroups(0, nullptr) != 0 || ::setgid(group) != 0 || ::setuid(user) != 0)
                ::_exit(99);
            ::_exit(task());
        }
        int status = 0;
        EXPECT_EQ(::waitpid(child, &status, 0), child);
        return WEXITSTATUS(status);
    };
    const auto read_count = [&] {
        auto reader = LaneReader::open(options.directory, Lane::vitals, ack_file(), keys);
        return reader ? static_cast<int>(read_all(**reader).texts().size()) : 50;
    };
    const auto path = segments_of(lane_directory()).at(0);
    const auto can_write = [&] {
        return base::open_file(path, O_RDWR) || ::unlink(path.c_str()) == 0 ? 1 : 0;
    };
    EXPECT_EQ(as_user(reader_user, reader_group, read_count), 1);
    EXPECT_EQ(as_user(reader_user, reader_group, can_write), 0);
    EXPECT_NE(as_user(stranger, stranger, read_count), 1);
    EXPECT_EQ(as_user(0, 0, can_write), 1);  // the control
}

}  // namespace
}  // namespace mitral::spool::test
