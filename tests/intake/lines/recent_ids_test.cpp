#include "intake/lines/recent_ids.hpp"

#include <gtest/gtest.h>

#include <string>

#include "support/proves.hpp"

namespace mitral::intake {
namespace {

using Seen = RecentIds::Seen;

TEST(RecentIds, KnowsAnIdOnceItsGroupIsDurable) {
    MITRAL_PROVES("T-DATA-04");
    RecentIds ids;
    EXPECT_EQ(ids.check_in("bed-1", "a"), Seen::no);
    EXPECT_EQ(ids.check_in("bed-1", "a"), Seen::in_open_group);
    EXPECT_EQ(ids.check_in("bed-2", "a"), Seen::no);
    ids.group_committed();
    EXPECT_EQ(ids.check_in("bed-1", "a"), Seen::before);
    EXPECT_EQ(ids.check_in("bed-2", "a"), Seen::before);
}

TEST(RecentIds, ForgetsTheIdsOfAGroupThatFailed) {
    MITRAL_PROVES("T-DATA-01");
    RecentIds ids;
    EXPECT_EQ(ids.check_in("bed-1", "kept"), Seen::no);
    ids.group_committed();
    EXPECT_EQ(ids.check_in("bed-1", "lost"), Seen::no);
    EXPECT_EQ(ids.check_in("bed-2", "lost"), Seen::no);
    ids.group_failed();
    EXPECT_EQ(ids.check_in("bed-1", "lost"), Seen::no);
    EXPECT_EQ(ids.check_in("bed-2", "lost"), Seen::no);
    EXPECT_EQ(ids.check_in("bed-1", "kept"), Seen::before);
}

TEST(RecentIds, TakesBackOnlyTheLastOne) {
    RecentIds ids;
    EXPECT_EQ(ids.check_in("bed-1", "stored"), Seen::no);
    EXPECT_EQ(ids.check_in("bed-1", "turned-away"), Seen::no);
    ids.take_back();
    ids.take_back();
    ids.group_committed();
    EXPECT_EQ(ids.check_in("bed-1", "stored"), Seen::before);
    EXPECT_EQ(ids.check_in("bed-1", "turned-away"), Seen::no);
}

TEST(RecentIds, RemembersTheLastOnesOfEachSource) {
    MITRAL_PROVES("T-DOS-01");
    RecentIds ids(4096);
    for (int i = 0; i <= 4096; ++i) {
        EXPECT_EQ(ids.check_in("bed-1", std::to_string(i)), Seen::no);
        ids.group_committed();
    }
    EXPECT_EQ(ids.check_in("bed-1", "1"), Seen::before);
    EXPECT_EQ(ids.check_in("bed-1", "4096"), Seen::before);
    EXPECT_EQ(ids.check_in("bed-1", "0"), Seen::no);
}

TEST(RecentIds, ForgetsTheSourceThatWasSilentLongest) {
    MITRAL_PROVES("T-DOS-01");
    RecentIds ids(16, 2);
    EXPECT_EQ(ids.check_in("bed-1", "a"), Seen::no);
    EXPECT_EQ(ids.check_in("bed-2", "a"), Seen::no);
    ids.group_committed();
    EXPECT_EQ(ids.check_in("bed-1", "a"), Seen::before);
    EXPECT_EQ(ids.check_in("bed-3", "a"), Seen::no);
    ids.group_committed();
    EXPECT_EQ(ids.check_in("bed-1", "a"), Seen::before);
    EXPECT_EQ(ids.check_in("bed-2", "a"), Seen::no);
}

TEST(RecentIds, AGroupLargerThanItsMemoryIsHarmless) {
    RecentIds ids(8);
    for (int i = 0; i < 100; ++i)
        EXPECT_EQ(ids.check_in("bed-1", std::to_string(i)), Seen::no);
    ids.group_failed();
    EXPECT_EQ(ids.check_in("bed-1", "99"), Seen::no);
}

}  // namespace
}  // namespace mitral::intake
