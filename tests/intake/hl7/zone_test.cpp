#include "intake/hl7/zone.hpp"

#include <gtest/gtest.h>

#include "base/errors.hpp"
#include "support/result_matchers.hpp"

namespace mitral::intake::hl7 {
namespace {

base::WallTime at(std::string_view text) {
    return *base::from_iso8601(text);
}

class ZoneTest : public testing::Test {
  protected:
    // The instant, as text; empty: there is none. `digits` with a Z only to be written down.
    std::string instant(std::string_view digits, std::string_view near = "2026-06-01T00:00:00Z") {
        const auto found = paris_.to_instant(at(digits), at(near));
        return found ? base::to_iso8601(*found) : "";
    }

    Zone paris_ = *Zone::find("Europe/Paris");
};

TEST_F(ZoneTest, WinterAndSummer) {
    EXPECT_EQ(instant("2026-01-15T12:00:00Z"), "2026-01-15T11:00:00.000Z");
    EXPECT_EQ(instant("2026-07-15T12:00:00.250Z"), "2026-07-15T10:00:00.250Z");
}

TEST_F(ZoneTest, AroundTheHourThatIsLeftOut) {
    EXPECT_EQ(instant("2026-03-29T01:59:59.999Z"), "2026-03-29T00:59:59.999Z");
    EXPECT_EQ(instant("2026-03-29T02:00:00Z"), "");
    EXPECT_EQ(instant("2026-03-29T02:59:59.999Z"), "");
    EXPECT_EQ(instant("2026-03-29T03:00:00Z"), "2026-03-29T01:00:00.000Z");
}

TEST_F(ZoneTest, TheHourThatPassesTwiceIsTheOneNearerToNow) {
    EXPECT_EQ(instant("2026-10-25T02:30:00Z", "2026-10-25T00:31:00Z"), "2026-10-25T00:30:00.000Z");
    EXPECT_EQ(instant("2026-10-25T02:30:00Z", "2026-10-25T01:29:00Z"), "2026-10-25T01:30:00.000Z");
    EXPECT_EQ(instant("2026-10-25T02:00:00Z", "2026-10-25T02:30:00Z"), "2026-10-25T01:00:00.000Z");
    // Not the neighbours of that hour.
    EXPECT_EQ(instant("2026-10-25T01:59:59Z", "2026-10-25T02:30:00Z"), "2026-10-24T23:59:59.000Z");
    EXPECT_EQ(instant("2026-10-25T03:00:00Z", "2026-10-24T23:00:00Z"), "2026-10-25T02:00:00.000Z");
}

TEST_F(ZoneTest, BeforeAndAfterTheTable) {
    EXPECT_EQ(instant("0001-01-01T00:00:00Z"), "0000-12-31T23:00:00.000Z");
    EXPECT_EQ(instant("9999-12-31T23:59:59Z").substr(0, 10), "9999-12-31");
}

TEST(ZoneNames, OffsetsThatAreNoHours) {
    const auto kathmandu = Zone::find("Asia/Kathmandu");
    ASSERT_TRUE(kathmandu);
    EXPECT_EQ(kathmandu->to_instant(at("2026-01-01T05:45:00Z"), {0}), at("2026-01-01T00:00:00Z"));
    const auto utc = Zone::find("UTC");
    ASSERT_TRUE(utc);
    EXPECT_EQ(utc->to_instant(at("2026-01-01T05:45:00Z"), {0}), at("2026-01-01T05:45:00Z"));
}

TEST(ZoneNames, WhatIsNoZoneIsRefused) {
    for (const auto* name : {"", "Europe/Pariss", "../../etc/passwd", "CEST+1"})
        EXPECT_TRUE(test::failed_with(Zone::find(name), base::BaseError::invalid_setting)) << name;
}

}  // namespace
}  // namespace mitral::intake::hl7
