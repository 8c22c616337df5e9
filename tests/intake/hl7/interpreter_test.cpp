#include "intake/hl7/interpreter.hpp"

#include <gmock/gmock.h>

#include "clinical/record.hpp"
#include "intake/hl7/reports.hpp"
#include "support/result_matchers.hpp"

namespace mitral::intake::hl7 {
namespace {

using clinical::Absent;
using clinical::Decimal;
using clinical::DeviceClock;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

const std::string heart_rate =
    "1|NM|147842^MDC_ECG_HEART_RATE^MDC|1.1.1.1|72|264864^MDC_DIM_BEAT_PER_MIN^MDC|||||R";
const std::string saturation =
    "2|NM|150456^MDC_PULS_OXIM_SAT_O2^MDC|1.1.1.2|97.50|262688^MDC_DIM_PERCENT^MDC|||||R";

TEST(InterpreterTest, AReportBecomesAReading) {
    Reader reader;
    const auto readings = reader.read_rows({heart_rate, saturation});
    ASSERT_THAT(readings, SizeIs(1));
    const auto& reading = readings[0];
    EXPECT_TRUE(test::ok(clinical::check(reading)));
    EXPECT_EQ(reading.source, "icu-1");
    EXPECT_EQ(reading.subject, "");
    EXPECT_EQ(reading.received, reader.arrival.received);
    EXPECT_EQ(reading.device_time, at("2026-01-01T09:00:00Z"));
    EXPECT_EQ(reading.device_clock, DeviceClock::zone_stated);
    EXPECT_EQ(reading.clock, base::ClockState::synchronised);
    EXPECT_THAT(
        reading.observations,
        ElementsAre(
            clinical::Observation{0, 147842, "MDC_ECG_HEART_RATE", "/min", Decimal{72, 0}},
            clinical::Observation{1, 150456, "MDC_PULS_OXIM_SAT_O2", "%", Decimal{9750, -2}}));
    EXPECT_EQ(reader.counts, NotUnderstood{});
    EXPECT_THAT(reader.findings, IsEmpty());
}

// printf 'MONITOR^0123456789ABCDEF^EUI-64\00042\00020260101100000+0100' | sha256sum | cut -c -32
TEST(InterpreterTest, TheControlIdIsAHashOfThreeFields) {
    Reader reader;
    EXPECT_EQ(reader.read_rows({heart_rate})[0].control_id, "e9d96e4f9459ec8949ff93a23c4b9307");
}

TEST(InterpreterTest, WhatIsNoReportIsUnusable) {
    Reader reader;
    const auto type = [&](std::string_view value) {
        return reader.try_read("MSH|^~\\&|||||||" + std::string(value) + "|1\r").has_value();
    };
    for (const auto* good : {"ORU^R01^ORU_R01", "ORU^R01", "ORU", "ORU^R31", "ORU^W01", "ORF^R04"})
        EXPECT_TRUE(type(good)) << good;
    for (const auto* bad : {"ADT^A01", "ORU^R40", "ACK", "", "oru^r01", "ORF", "QRY^R02"})
        EXPECT_FALSE(type(bad)) << bad;
}

TEST(InterpreterTest, TrainingAndDebuggingAreNoPatients) {
    Reader reader;
    const auto processing = [&](std::string_view id) {
        return reader.try_read("MSH|^~\\&|||||||ORU^R01|1|" + std::string(id) + "\r").has_value();
    };
    for (const auto* good : {"P", "", "P^T", "P^A", "\"\""})
        EXPECT_TRUE(processing(good)) << good;
    for (const auto* bad : {"T", "D", "T^T", "D^", " T "})
        EXPECT_FALSE(processing(bad)) << bad;
}

}  // namespace
}  // namespace mitral::intake::hl7
