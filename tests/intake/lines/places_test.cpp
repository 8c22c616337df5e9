#include "intake/lines/places.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "support/proves.hpp"

namespace mitral::intake {
namespace {

constexpr uid_t bed = 1001;
constexpr uid_t hog = 1002;
constexpr uid_t other_hog = 1003;

// Connection n+1 of the user at n, active at the nanosecond n.
std::vector<Place> held_by(const std::vector<uid_t>& users) {
    std::vector<Place> held;
    for (const auto user : users) {
        const auto n = held.size();
        held.push_back({n + 1, user, {static_cast<std::int64_t>(n)}});
    }
    return held;
}

TEST(Places, OneUserHoldsAtMostHalf) {
    MITRAL_PROVES("T-DOS-01");
    EXPECT_EQ(admit(held_by({hog}), hog, 4).refusal, "");
    EXPECT_EQ(admit(held_by({hog, hog}), hog, 4).refusal, "too many connections of this user");
    EXPECT_EQ(admit(held_by({hog, hog}), bed, 4).refusal, "");
    EXPECT_EQ(admit(held_by({hog, hog}), bed, 4).makes_way, 0U);
    EXPECT_EQ(admit({}, hog, 1).refusal, "");
}

TEST(Places, TheLongestIdleOfWhoHoldsMostMakesWay) {
    MITRAL_PROVES("T-DOS-01", "T-DOS-04");
    auto held = held_by({other_hog, hog, hog, hog, other_hog, bed});
    held[1].last_active = {100};
    const auto admission = admit(held, 1004, 6);
    EXPECT_EQ(admission.refusal, "");
    EXPECT_EQ(admission.makes_way, 3U);
    EXPECT_EQ(admit(held, bed, 6).makes_way, 3U);
}

TEST(Places, NobodyIsDroppedForWhoWouldHoldAsMany) {
    MITRAL_PROVES("T-DOS-01");
    EXPECT_EQ(admit(held_by({hog, bed}), other_hog, 2).refusal, "too many connections");
    EXPECT_EQ(admit(held_by({hog, hog, bed, other_hog}), bed, 4).refusal, "too many connections");
    EXPECT_EQ(admit(held_by({hog, hog, bed, other_hog}), 1004, 4).makes_way, 1U);
}

}  // namespace
}  // namespace mitral::intake
