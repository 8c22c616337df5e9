// Times, patients, beds and identity: what a report as a whole becomes.
#include <gmock/gmock.h>

#include "clinical/record.hpp"
#include "intake/hl7/reports.hpp"
#include "support/proves.hpp"
#include "support/result_matchers.hpp"

namespace mitral::intake::hl7 {
namespace {

using clinical::DeviceClock;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr std::string_view rate = "OBX|1|NM|147842^MDC_ECG_HEART_RATE^MDC|1|72|264864";

std::string row_at(std::string_view time) {
    return std::string(rate) + "||||||||" + std::string(time) + "\r";
}

class TimesTest : public testing::Test {
  protected:
    // "time certainty" of each reading.
    std::vector<std::string> times(const std::string& sent, const std::string& rest) {
        reader_.counts = {};
        std::vector<std::string> out;
        for (const auto& reading :
             reader_.read("MSH|^~\\&|M||||" + sent + "||ORU^R01|1|P|2.6\r" + rest)) {
            EXPECT_TRUE(test::ok(clinical::check(reading)));
            out.push_back((reading.device_time ? base::to_iso8601(*reading.device_time) : "none") +
                          " " + std::string(clinical::to_string(reading.device_clock)));
        }
        return out;
    }
    const std::string sent_ = "20260101100000+0100";
    const std::string order_ = "OBR|1||||||20260101095900+0100\r";

    Reader reader_;
};

TEST_F(TimesTest, OfTheRowElseOfItsOrder) {
    EXPECT_THAT(
        times(sent_, order_ + row_at("") + row_at("\"\"") + row_at("20260101095930.5+0100")),
        ElementsAre("2026-01-01T08:59:00.000Z zone-stated",
                    "2026-01-01T08:59:30.500Z zone-stated"));
    EXPECT_THAT(times(sent_, row_at("")), ElementsAre("none none"));
    EXPECT_EQ(reader_.counts, NotUnderstood{}) << "no time was said";
}

TEST_F(TimesTest, ReadingsStandInTheOrderOfFirstAppearance) {
    const auto readings =
        reader_.read(std::string(report_header) + row_at("20260101100001+0100") +
                     row_at("20260101100000+0100") + row_at("20260101090001+0000"));
    ASSERT_THAT(readings, SizeIs(2));
    EXPECT_EQ(readings[0].device_time, at("2026-01-01T09:00:01Z"));
    EXPECT_THAT(readings[0].observations, SizeIs(2)) << "the same instant, said in another zone";
    EXPECT_EQ(readings[0].observations[1].index, 2);
    EXPECT_EQ(readings[1].control_id, readings[0].control_id + ".1");
}

TEST_F(TimesTest, WithoutAZoneTheConfiguredOneCounts) {
    EXPECT_THAT(times(sent_, row_at("20260101100000")), ElementsAre("none none"));
    EXPECT_EQ(reader_.counts.times, 1U);
    const auto paris = *Zone::find("Europe/Paris");
    reader_.sender.zone = &paris;
    EXPECT_THAT(times("20260101100000", row_at("20260101100000")),
                ElementsAre("2026-01-01T09:00:00.000Z zone-assumed"));
    EXPECT_EQ(reader_.counts.times, 0U);
    EXPECT_THAT(times("20260329024500", row_at("20260329023000")), ElementsAre("none none"))
        << "clocks there never showed this";
    EXPECT_EQ(reader_.counts.times, 1U);
}

TEST_F(TimesTest, WhatIsNoTimeIsNotReplacedByAnother) {
    for (const auto* bad :
         {"0", "00000000000000", "202601011000", "yesterday", "20261301000000Z"}) {
        EXPECT_THAT(times(sent_, order_ + row_at(bad)), ElementsAre("none none")) << bad;
        EXPECT_EQ(reader_.counts.times, 1U) << bad;
    }
}

TEST_F(TimesTest, AClockThatDisagreesIsSaid) {
    // Received at 09:00:00.250.
    EXPECT_THAT(times("20260101100100+0100", order_ + row_at("")),
                ElementsAre("2026-01-01T08:59:00.000Z zone-stated"))
        << "59.75 s are tolerated";
    EXPECT_THAT(times("20260101100101+0100", order_ + row_at("")),
                ElementsAre("2026-01-01T08:59:00.000Z disagrees"));
    EXPECT_THAT(times("20260101085959+0000", "OBR|1||||||20251231000000Z\r" + row_at("")),
                ElementsAre("none none"))
        << "Z is no zone of HL7";
    EXPECT_THAT(times(sent_, "OBR|1||||||20251231000000+0000\r" + row_at("")),
                ElementsAre("2025-12-31T00:00:00.000Z zone-stated"))
        << "measured long ago, by a clock that is right";
    EXPECT_THAT(times("", "OBR|1||||||20251231000000+0000\r" + row_at("")),
                ElementsAre("2025-12-31T00:00:00.000Z disagrees"));
    reader_.arrival.clock = base::ClockState::implausible;
    EXPECT_THAT(times("20250101100101+0100", order_ + row_at("")),
                ElementsAre("2026-01-01T08:59:00.000Z zone-stated"))
        << "the gateway's own clock is no judge";
}

// Sent again an hour later it has to become the same readings, or it would be refused as something
// else under a known control id.
TEST_F(TimesTest, WhenItComesDoesNotDecideHowItIsDivided) {
    const auto berlin = *Zone::find("Europe/Berlin");
    reader_.sender.zone = &berlin;
    const auto rows = row_at("20260101100000+0100") + row_at("20260101100000") +
                      row_at("20260101100001") + row_at("20260101100001+0100");
    const auto at_once = reader_.read(std::string(report_header) + rows);
    reader_.arrival.received.ms += 3'600'000;
    const auto late = reader_.read(std::string(report_header) + rows);
    ASSERT_THAT(at_once, SizeIs(2));
    ASSERT_THAT(late, SizeIs(2));
    for (std::size_t i = 0; i < 2; ++i) {
        EXPECT_EQ(late[i].control_id, at_once[i].control_id);
        EXPECT_EQ(late[i].observations, at_once[i].observations);
        EXPECT_EQ(at_once[i].device_clock, DeviceClock::zone_assumed) << "the least sure counts";
        EXPECT_EQ(late[i].device_clock, DeviceClock::disagrees);
    }
}

TEST_F(TimesTest, ManyTimesAreRefusedAsAWhole) {
    std::string rows;
    const auto add_row = [&](std::size_t number) {
        const auto digits = std::to_string(10'000 + number);
        rows.append(
            row_at("202601011000" + digits.substr(1, 1) + "0." + digits.substr(2) + "+0100"));
    };
    for (std::size_t i = 0; i < Interpreter::max_readings; ++i)
        add_row(i);
    EXPECT_THAT(reader_.read(std::string(report_header) + rows), SizeIs(Interpreter::max_readings));
    add_row(Interpreter::max_readings);
    EXPECT_FALSE(reader_.try_read(std::string(report_header) + rows));
}

TEST_F(TimesTest, ReadingsAreSplitAtTheirBounds) {
    std::string rows;
    for (std::size_t i = 0; i < clinical::max_observations + 1; ++i)
        rows.append(row_at("20260101100000+0100"));
    const auto readings = reader_.read(std::string(report_header) + rows);
    ASSERT_THAT(readings, SizeIs(2));
    EXPECT_THAT(readings[0].observations, SizeIs(clinical::max_observations));
    EXPECT_EQ(readings[1].observations.at(0).index, clinical::max_observations);
}

// ── identity ─────────────────────────────────────────────────────────────────────────────────────

TEST(IdentityTest, WithoutMsh10ItIsTheText) {
    const auto id = [](std::string_view text, const Dialect* dialect = nullptr) {
        return control_id_of(*Message::parse(text), dialect);
    };
    // printf 'MSH|^~\\&|M||||1||ORU^R01||P|2.6\rOBX|1' | sha256sum | cut -c -32
    EXPECT_EQ(id("MSH|^~\\&|M||||1||ORU^R01||P|2.6\rOBX|1\r"), "7cb65a7f430d8075201d87b3f9c1876d");
    EXPECT_EQ(id("MSH|^~\\&|M||||1||ORU^R01||P|2.6\rOBX|1"),
              id("MSH|^~\\&|M||||1||ORU^R01||P|2.6\rOBX|1\r\r"));
    EXPECT_NE(id("MSH|^~\\&|M||||1||ORU^R01||P|2.6\rOBX|1"),
              id("MSH|^~\\&|M||||1||ORU^R01||P|2.6\rOBX|2"));
    EXPECT_EQ(id("MSH|^~\\&|M||||1||ORU^R01|7|P|2.6\rOBX|1"),
              id("MSH|^~\\&|M||||1||ORU^R01|7|P|2.6\rOBX|2"));
    Dialect dialect;
    dialect.control_id_is_type = true;
    EXPECT_NE(id("MSH|^~\\&|M||||1||ORU^R01|7|P|2.6\rOBX|1", &dialect),
              id("MSH|^~\\&|M||||1||ORU^R01|7|P|2.6\rOBX|2", &dialect));
}

// ── patients and beds ────────────────────────────────────────────────────────────────────────────

class Scripted final : public Pseudonyms {
  public:
    std::optional<std::string> of(std::string_view id, std::string_view authority) override {
        asked.emplace_back(std::string(id) + "@" + std::string(authority));
        return answer;
    }
    std::vector<std::string> asked;
    std::optional<std::string> answer = "abcdefghijklmnopqrstuv";
};

class PatientsTest : public testing::Test {
  protected:
    PatientsTest() { reader_.pseudonyms = &pseudonyms_; }
    std::vector<clinical::Reading> read(const std::string& rest) {
        reader_.counts = {};
        auto readings = reader_.read(std::string(report_header) + rest);
        for (const auto& reading : readings)
            EXPECT_TRUE(test::ok(clinical::check(reading)));
        return readings;
    }
    const std::string row_ = std::string(rate) + "\r";

    Scripted pseudonyms_;
    Reader reader_;
};

TEST_F(PatientsTest, TheFirstIdIsAskedFor) {
    EXPECT_EQ(read("PID|||^^^X~7\\T\\8^^^WARD&1.2&ISO^MR~9||Doe^Jane\r" + row_).at(0).subject,
              "abcdefghijklmnopqrstuv");
    EXPECT_THAT(pseudonyms_.asked, ElementsAre("7&8@WARD"));
}

TEST_F(PatientsTest, WithoutAnIdOrAPseudonymReadingsGoWithout) {
    EXPECT_EQ(read("PID|||||Doe^Jane\r" + row_).at(0).subject, "");
    EXPECT_EQ(read("PID|||\"\"\r" + row_).at(0).subject, "");
    EXPECT_EQ(read(row_).at(0).subject, "");
    EXPECT_THAT(pseudonyms_.asked, IsEmpty());
    EXPECT_EQ(reader_.counts.subjects, 0U);
    for (const auto& bad : {std::optional<std::string>(), std::optional<std::string>("Doe"),
                            std::optional<std::string>("abcdefghijklmnopqrst v")}) {
        pseudonyms_.answer = bad;
        EXPECT_EQ(read("PID|||7\r" + row_).at(0).subject, "");
        EXPECT_EQ(reader_.counts.subjects, 1U);
    }
    reader_.pseudonyms = nullptr;
    EXPECT_EQ(read("PID|||7\r" + row_).at(0).subject, "");
    EXPECT_EQ(reader_.counts.subjects, 0U) << "nobody wanted one";
}

TEST_F(PatientsTest, EachPatientOfAMessageIsOne) {
    const auto readings = read("PID|||7\r" + row_ + "PID|||\r" + row_);
    ASSERT_THAT(readings, SizeIs(2));
    EXPECT_NE(readings[0].subject, "");
    EXPECT_EQ(readings[1].subject, "");
    EXPECT_EQ(readings[1].observations.at(0).index, 1);
}

TEST_F(PatientsTest, BedsAreFoundAsSent) {
    reader_.sender.beds = {{"ICU^^7", "icu-7"}, {"ICU^^8", "icu-8"}};
    EXPECT_EQ(read("PV1||I|ICU^^7\r" + row_).at(0).source, "icu-7");
    EXPECT_EQ(read("PV1||I|\r" + row_).at(0).source, "icu-1") << "no bed is said";
    const auto both = read("PID|||1\rPV1||I|ICU^^7\r" + row_ + "PID|||2\rPV1||I|ICU^^8\r" + row_);
    ASSERT_THAT(both, SizeIs(2));
    EXPECT_EQ(both[1].source, "icu-8");
}

// Two beds under one name would be two patients in one.
TEST_F(PatientsTest, AnUnknownBedIsKeptOut) {
    reader_.sender.beds = {{"ICU^^7", "icu-7"}};
    const auto refused = reader_.try_read(std::string(report_header) + "PV1||I|ICU^^9\r" + row_);
    ASSERT_FALSE(refused) << "AA would say that it is in safe keeping";
    EXPECT_EQ(refused.error().reason, "its bed is not in the list of this gateway");
    EXPECT_EQ(reader_.counts.beds, 1U);
    EXPECT_THAT(read("PV1||I|ICU^^9\r"), IsEmpty()) << "nothing was kept out";
    EXPECT_THAT(read("PID|||1\rPV1||I|ICU^^9\r" + row_ + "PID|||2\rPV1||I|ICU^^7\r" + row_),
                SizeIs(1));
    reader_.sender.beds.clear();
    EXPECT_EQ(read("PV1||I|ICU^^9\r" + row_).at(0).source, "icu-1") << "there is no list";
}

TEST_F(PatientsTest, SegmentsNobodyKnowsAreCounted) {
    EXPECT_THAT(read("ZMO|x\rNTE|1||Jane is fine\rORC|1\r" + row_ + "ZZZ\r"), SizeIs(1));
    EXPECT_EQ(reader_.counts.segments, 2U);
}

}  // namespace
}  // namespace mitral::intake::hl7
