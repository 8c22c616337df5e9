#include "intake/hl7/timestamp.hpp"

#include <gtest/gtest.h>

namespace mitral::intake::hl7 {
namespace {

std::string iso(std::string_view text, int fallback_zone_min = 0) {
    const auto stamp = parse_timestamp(text);
    return stamp ? base::to_iso8601(stamp->at_zone(fallback_zone_min)) : "none";
}

TEST(TimestampTest, WithAZoneItIsAnInstant) {
    EXPECT_EQ(iso("20260101100000+0100"), "2026-01-01T09:00:00.000Z");
    EXPECT_EQ(iso("20260101100000-0330"), "2026-01-01T13:30:00.000Z");
    EXPECT_EQ(iso("20240229235959.1234+0000"), "2024-02-29T23:59:59.123Z");
    EXPECT_EQ(iso("20260101100000.5+0100"), "2026-01-01T09:00:00.500Z");
    EXPECT_EQ(parse_timestamp("20260101100000+0100")->zone_min, 60);
}

TEST(TimestampTest, WithoutAZoneItDependsOnTheSender) {
    EXPECT_EQ(parse_timestamp("20260101100000")->zone_min, std::nullopt);
    EXPECT_EQ(iso("20260101100000", 60), "2026-01-01T09:00:00.000Z");
    EXPECT_EQ(iso("20260101003000", 60), "2025-12-31T23:30:00.000Z");
    EXPECT_EQ(iso("20260101100000+0200", 60), "2026-01-01T08:00:00.000Z");
}

TEST(TimestampTest, WhatDatesNoReadingIsNone) {
    for (const char* text : {"",
                             "2026",
                             "20260101",
                             "202601011000",
                             "20261301100000",
                             "20260230100000",
                             "20260101240000",
                             "20260101106000",
                             "20260101100060",
                             "2026010110000",
                             "20260101100000.",
                             "20260101100000.1234567",
                             "20260101100000+1",
                             "20260101100000+1500",
                             "20260101100000+0160",
                             "20260101100000+01000",
                             "20260101100000Z",
                             "20260101100000 ",
                             " 20260101100000",
                             "2026010110000x"})
        EXPECT_EQ(iso(text), "none") << text;
}

}  // namespace
}  // namespace mitral::intake::hl7
