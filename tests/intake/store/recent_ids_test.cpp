#include "intake/store/recent_ids.hpp"

#include <gtest/gtest.h>

#include <string>

#include "support/proves.hpp"

namespace mitral::intake {
namespace {

using Seen = RecentIds::Seen;

class RecentIdsTest : public ::testing::Test {
  protected:
    static RecentIds with(std::size_t ids, std::size_t sources = 1024,
                          std::size_t bytes = 16 * 1024 * 1024) {
        return RecentIds({ids, sources, bytes});
    }
    // What the store does with a reading that the spool takes.
    Seen take(std::string_view source, std::uint64_t id, std::uint64_t content = 7) {
        const auto seen = ids.find(source, {id, content});
        if (seen == Seen::no)
            ids.add(source, {id, content});
        return seen;
    }
    Seen find(std::string_view source, std::uint64_t id, std::uint64_t content = 7) {
        return ids.find(source, {id, content});
    }

    RecentIds ids;
};

TEST_F(RecentIdsTest, KnowsAReadingOnceItsGroupIsDurable) {
    MITRAL_PROVES("T-DATA-04");
    EXPECT_EQ(take("bed-1", 1), Seen::no);
    EXPECT_EQ(take("bed-1", 1), Seen::in_open_group);
    EXPECT_EQ(take("bed-2", 1), Seen::no);
    ids.group_committed();
    EXPECT_EQ(take("bed-1", 1), Seen::before);
    EXPECT_EQ(take("bed-2", 1), Seen::before);
}

TEST_F(RecentIdsTest, OtherContentIsNoRepetition) {
    MITRAL_PROVES("T-DATA-01", "T-DATA-05");
    EXPECT_EQ(take("bed-1", 1, 7), Seen::no);
    EXPECT_EQ(take("bed-1", 1, 8), Seen::with_other_content);
    ids.group_committed();
    EXPECT_EQ(take("bed-1", 1, 8), Seen::with_other_content);
    EXPECT_EQ(take("bed-1", 1, 7), Seen::before);
    EXPECT_EQ(take("bed-2", 1, 8), Seen::no);
}

TEST_F(RecentIdsTest, ForgetsTheReadingsOfAGroupThatFailed) {
    MITRAL_PROVES("T-DATA-01");
    EXPECT_EQ(take("bed-1", 1), Seen::no);
    ids.group_committed();
    EXPECT_EQ(take("bed-1", 2), Seen::no);
    EXPECT_EQ(take("bed-2", 2), Seen::no);
    ids.group_failed();
    EXPECT_EQ(take("bed-1", 2, 8), Seen::no);
    EXPECT_EQ(take("bed-2", 2, 8), Seen::no);
    EXPECT_EQ(take("bed-1", 1), Seen::before);
}

TEST_F(RecentIdsTest, LookingRemembersNothing) {
    EXPECT_EQ(find("bed-1", 1), Seen::no);
    EXPECT_EQ(find("bed-1", 1), Seen::no);
    EXPECT_EQ(ids.bytes(), 0U);
}

TEST_F(RecentIdsTest, RemembersTheLastOnesOfEachSource) {
    MITRAL_PROVES("T-DOS-01");
    for (std::uint64_t i = 0; i <= 4096; ++i) {
        EXPECT_EQ(take("bed-1", i), Seen::no);
        ids.group_committed();
    }
    for (std::uint64_t i = 1; i <= 4096; ++i)
        ASSERT_EQ(find("bed-1", i), Seen::before) << i;
    EXPECT_EQ(find("bed-1", 0), Seen::no);
}

// Ids that share their place in the index are told apart, also while old ones leave.
TEST_F(RecentIdsTest, IdsThatMeetInTheIndexAreKeptApart) {
    MITRAL_PROVES("T-DATA-04");
    ids = with(64);
    const auto id = [](std::uint64_t i) { return (i << 32) + i % 3; };
    for (std::uint64_t i = 0; i < 1000; ++i) {
        ASSERT_EQ(take("bed-1", id(i)), Seen::no) << i;
        ids.group_committed();
        const auto oldest = i < 63 ? 0 : i - 63;
        for (std::uint64_t known = oldest; known <= i; ++known)
            ASSERT_EQ(find("bed-1", id(known)), Seen::before) << known << " of " << i;
        if (oldest > 0) {
            ASSERT_EQ(find("bed-1", id(oldest - 1)), Seen::no);
        }
    }
}

TEST_F(RecentIdsTest, ForgetsTheSourceThatWasSilentLongest) {
    MITRAL_PROVES("T-DOS-01");
    ids = with(16, 2);
    EXPECT_EQ(take("bed-1", 1), Seen::no);
    EXPECT_EQ(take("bed-2", 1), Seen::no);
    ids.group_committed();
    EXPECT_EQ(take("bed-1", 1), Seen::before);
    EXPECT_EQ(take("bed-3", 1), Seen::no);
    ids.group_committed();
    EXPECT_EQ(take("bed-1", 1), Seen::before);
    EXPECT_EQ(take("bed-2", 1), Seen::no);
}

TEST_F(RecentIdsTest, HoldsItsBoundWhateverIsSent) {
    MITRAL_PROVES("T-DOS-01");
    constexpr std::size_t bound = 16 * 1024 * 1024;
    for (std::uint64_t source = 0; source < 300; ++source) {
        const auto name = std::string(60, 'x') + std::to_string(1000 + source);
        for (std::uint64_t i = 0; i < 4096; ++i) {
            ids.add(name, {i, 7});
            ASSERT_LE(ids.bytes(), bound);
            if (i % 256 == 0)
                ids.group_committed();
        }
        ids.group_committed();
    }
    EXPECT_GT(ids.bytes(), bound / 2);  // and it is used
    EXPECT_EQ(find(std::string(60, 'x') + "1000", 1), Seen::no);
    EXPECT_EQ(find(std::string(60, 'x') + "1299", 1), Seen::before);
    EXPECT_EQ(find(std::string(60, 'x') + "1299", 4095), Seen::before);
}

// Nothing of an open group may be forgotten, so the newest are not remembered; nothing is refused.
TEST_F(RecentIdsTest, AnOpenGroupBeyondTheBoundIsHarmless) {
    MITRAL_PROVES("T-DOS-01", "T-DATA-01");
    ids = with(4096, 1024, 8 * 1024);
    for (std::uint64_t source = 0; source < 100; ++source)
        EXPECT_EQ(take(std::to_string(source), 1), Seen::no);
    EXPECT_LE(ids.bytes(), 8U * 1024);
    EXPECT_EQ(take("0", 1), Seen::in_open_group);
    EXPECT_EQ(take("99", 1), Seen::no);
    ids.group_committed();
    EXPECT_EQ(take("99", 1), Seen::no);
    EXPECT_EQ(take("99", 1), Seen::in_open_group);
    EXPECT_LE(ids.bytes(), 8U * 1024);
}

TEST_F(RecentIdsTest, AGroupLargerThanItsMemoryIsHarmless) {
    ids = with(8);
    for (std::uint64_t i = 0; i < 100; ++i)
        EXPECT_EQ(take("bed-1", i), Seen::no);
    EXPECT_EQ(take("bed-1", 99), Seen::in_open_group);
    ids.group_failed();
    EXPECT_EQ(take("bed-1", 99), Seen::no);
}

}  // namespace
}  // namespace mitral::intake
