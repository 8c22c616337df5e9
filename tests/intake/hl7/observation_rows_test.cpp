// What single OBX rows become, as a table of what monitors are known to send.
#include <gmock/gmock.h>

#include "clinical/record.hpp"
#include "intake/hl7/reports.hpp"
#include "support/proves.hpp"
#include "support/result_matchers.hpp"

namespace mitral::intake::hl7 {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

// "CODE VALUE UNIT", "CODE (reason) UNIT", or "-counter" where it was kept out; empty: passed over.
std::string outcome(const std::string& row, const Dialect* dialect = nullptr) {
    Reader reader;
    reader.sender.dialect = dialect;
    const auto readings = reader.read_rows({row});
    if (readings.empty()) {
        for (const auto& [name, counter] : not_understood_counters()) {
            if (reader.counts.*counter != 0)
                return "-" + std::string(name);
        }
        return "";
    }
    EXPECT_TRUE(test::ok(clinical::check(readings[0])));
    EXPECT_EQ(reader.counts.total(), 0U) << row;
    const auto& got = readings[0].observations.at(0);
    const auto* number = std::get_if<clinical::Decimal>(&got.value);
    const auto value =
        number != nullptr
            ? clinical::to_string(*number)
            : "(" + std::string(clinical::to_string(std::get<clinical::Absent>(got.value))) + ")";
    return got.code + " " + value + " " + got.unit;
}

std::string heart_rate(const std::string& type, const std::string& value,
                       const std::string& rest = "") {
    return outcome("1|" + type + "|147842^MDC_ECG_HEART_RATE^MDC|1.1.1.1|" + value +
                   "|264864^MDC_DIM_BEAT_PER_MIN^MDC" + rest);
}

// One value of a code in a unit, as NM.
std::string number(const std::string& code, const std::string& value, const std::string& unit,
                   const Dialect* dialect = nullptr) {
    auto got = outcome("1|NM|0^" + code + "^MDC|1.1.1.1|" + value + "|" + unit + "|||||R", dialect);
    return got.starts_with(code) ? got.substr(code.size() + 1) : got;
}

TEST(ObservationRowTest, TypesOfNumbers) {
    const std::string value = "MDC_ECG_HEART_RATE 72 /min";
    EXPECT_EQ(heart_rate("NM", "72"), value);
    EXPECT_EQ(heart_rate("NM", " 072 "), value);
    EXPECT_EQ(heart_rate("ST", "72"), value);
    EXPECT_EQ(heart_rate("TX", "+72"), value);
    EXPECT_EQ(heart_rate("", "72"), value);
    EXPECT_EQ(heart_rate("SN", "^72"), value);
    EXPECT_EQ(heart_rate("SN", "=^72"), value);
    EXPECT_EQ(heart_rate("NM", "71.90"), "MDC_ECG_HEART_RATE 71.90 /min");
}

TEST(ObservationRowTest, BeyondWhatTheDeviceCanShow) {
    const std::string above = "MDC_ECG_HEART_RATE (above-range) /min";
    const std::string below = "MDC_ECG_HEART_RATE (below-range) /min";
    EXPECT_EQ(heart_rate("SN", ">^300"), above);
    EXPECT_EQ(heart_rate("SN", ">=^300"), above);
    EXPECT_EQ(heart_rate("SN", "<^30"), below);
    EXPECT_EQ(heart_rate("ST", ">300"), above);
    EXPECT_EQ(heart_rate("NM", "<=30"), below);
    EXPECT_EQ(heart_rate("NM", "300", "||>"), above);
    EXPECT_EQ(heart_rate("NM", "8388606"), above);
    EXPECT_EQ(heart_rate("NM", "-8388606"), below);
    EXPECT_EQ(heart_rate("NM", "8388610"), below);
    EXPECT_EQ(heart_rate("NM", "INF"), above);
}

TEST(ObservationRowTest, WhatIsNoNumberIsKeptOut) {
    MITRAL_PROVES("T-MON-04", "T-DATA-05", "CR 3.5");
    EXPECT_EQ(heart_rate("NM", "fast"), "-values");
    EXPECT_EQ(heart_rate("NM", "72^73"), "-values");
    EXPECT_EQ(heart_rate("NM", "72~73"), "-values");
    EXPECT_EQ(heart_rate("NM", "7,2"), "-values");
    EXPECT_EQ(heart_rate("NM", "-37"), "-values");
    EXPECT_EQ(heart_rate("SN", "^1^:^2"), "-values");
    EXPECT_EQ(heart_rate("SN", "<>^2"), "-values");
    EXPECT_EQ(heart_rate("SN", ">^much"), "-values");
    EXPECT_EQ(heart_rate("ST", "irregular"), "-texts");
    EXPECT_EQ(heart_rate("ST", ">much"), "-texts");
    EXPECT_EQ(heart_rate("CWE", "1^sinus rhythm^99X"), "-texts");
    EXPECT_EQ(heart_rate("ED", "72"), "-texts");
    EXPECT_EQ(heart_rate("TS", "20260101"), "-texts");
    EXPECT_EQ(heart_rate("NM", "72", "|||||W"), "-values") << "said to be wrong";
    EXPECT_EQ(heart_rate("NM", "72", "|||||D"), "-values");
    EXPECT_EQ(heart_rate("NM", "72", "||DEMO"), "-values");
    EXPECT_EQ(heart_rate("NM", "72", "||QUES~TEST"), "-values");
}

TEST(ObservationRowTest, AbsencesAndTheirReasons) {
    const auto absent = [](const std::string& reason) {
        return "MDC_ECG_HEART_RATE (" + reason + ") /min";
    };
    EXPECT_EQ(heart_rate("NM", ""), absent("unknown"));
    EXPECT_EQ(heart_rate("NM", "\"\""), absent("not-measured"));
    EXPECT_EQ(heart_rate("NM", "72", "|||||X"), absent("not-measured"));
    EXPECT_EQ(heart_rate("", "", "|||||X"), absent("not-measured"));
    EXPECT_EQ(heart_rate("NM", "---"), absent("not-measured"));
    EXPECT_EQ(heart_rate("NM", "NaN"), absent("not-a-number"));
    EXPECT_EQ(heart_rate("NM", "72", "||INV"), absent("error"));
    EXPECT_EQ(heart_rate("NM", "72", "||N~NAV"), absent("not-measured"));
    EXPECT_EQ(heart_rate("CWE", "INV^invalid^NULLFL"), absent("error"));
    EXPECT_EQ(heart_rate("CWE", "not-performed^^data-absent-reason"), absent("not-measured"));
    EXPECT_EQ(heart_rate("CWE", "INV^invalid^99X"), "-texts") << "that may mean anything";
    // A status that says nothing against the value.
    EXPECT_EQ(heart_rate("NM", "72", "||QUES|||C"), "MDC_ECG_HEART_RATE 72 /min");
}

TEST(ObservationRowTest, NumbersThatMonitorsWriteForNoValue) {
    MITRAL_PROVES("T-DATA-05");
    for (const auto* sentinel :
         {"-1", "-1.0", "-100", "-999", "-99.9", "-10000", "-32768", "32767"})
        EXPECT_EQ(heart_rate("NM", sentinel), "MDC_ECG_HEART_RATE (not-measured) /min") << sentinel;
    EXPECT_EQ(heart_rate("NM", "8388607"), "MDC_ECG_HEART_RATE (not-a-number) /min");
    EXPECT_EQ(heart_rate("NM", "8388608"), "MDC_ECG_HEART_RATE (not-measured) /min");
    EXPECT_EQ(number("MDC_PULS_OXIM_SAT_O2", "-100", "%"), "(not-measured) %");
    EXPECT_EQ(number("MDC_TEMP", "-99.9", "Cel"), "(not-measured) Cel");
    EXPECT_EQ(number("MDC_PRESS_BLD_ART_MEAN", "-999", "mm[Hg]"), "(not-measured) mm[Hg]");
}

TEST(ObservationRowTest, WhatCouldBeRealStays) {
    MITRAL_PROVES("T-DATA-05");
    EXPECT_EQ(number("MDC_TEMP", "-1", "Cel"), "-1 Cel");
    EXPECT_EQ(number("MDC_TEMP_SKIN", "-12.5", "Cel"), "-12.5 Cel");
    EXPECT_EQ(number("MDC_PRESS_BLD_VEN_CENT_MEAN", "-1", "mm[Hg]"), "-1 mm[Hg]");
    EXPECT_EQ(number("MDC_PRESS_BLD_VEN_CENT_MEAN", "0", "mm[Hg]"), "0 mm[Hg]");
    EXPECT_EQ(number("MDC_PRESS_BLD_ART_MEAN", "-3", "mm[Hg]"), "-3 mm[Hg]");
    EXPECT_EQ(number("MDC_ECG_HEART_RATE", "0", "/min"), "0 /min") << "an asystole";
    EXPECT_EQ(number("MDC_RESP_RATE", "0", "/min"), "0 /min") << "an apnoea";
    EXPECT_EQ(number("MDC_ECG_ELEC_POTL_II", "-1", "mV"), "-1 mV");
    EXPECT_EQ(number("MDC_CONC_GLU_ISF", "2047", "mg/dL"), "2047 mg/dL");
}

TEST(ObservationRowTest, ZerosThatCannotBe) {
    MITRAL_PROVES("T-DATA-05");
    EXPECT_EQ(number("MDC_PULS_OXIM_SAT_O2", "0", "%"), "(not-measured) %");
    EXPECT_EQ(number("MDC_PRESS_BLD_NONINV_SYS", "0", "mm[Hg]"), "(not-measured) mm[Hg]");
    EXPECT_EQ(number("MDC_PRESS_BLD_NONINV_MEAN", "0.0", "kPa"), "(not-measured) kPa");
    EXPECT_EQ(number("MDC_TEMP_BODY", "0.0", "Cel"), "(not-measured) Cel");
    EXPECT_EQ(number("MDC_TEMP", "-0", "[degF]"), "(not-measured) [degF]");
    EXPECT_EQ(number("MDC_PULS_RATE_NON_INV", "0", "/min"), "(not-measured) /min");
    Dialect zero_is_absent;
    zero_is_absent.zero = ZeroRule::absent;
    EXPECT_EQ(number("MDC_ECG_HEART_RATE", "0", "/min", &zero_is_absent), "(not-measured) /min");
    Dialect zero_is_value;
    zero_is_value.zero = ZeroRule::value;
    EXPECT_EQ(number("MDC_PULS_OXIM_SAT_O2", "0", "%", &zero_is_value), "0 %");
}

TEST(ObservationRowTest, UnitsAreThoseOfTheCode) {
    MITRAL_PROVES("T-DATA-05");
    EXPECT_EQ(number("MDC_PRESS_BLD_NONINV_SYS", "120", "266016^MDC_DIM_MMHG^MDC"), "120 mm[Hg]");
    EXPECT_EQ(number("MDC_PRESS_BLD_NONINV_SYS", "16.0", "265987^MDC_DIM_KILO_PASCAL^MDC"),
              "16.0 kPa");
    EXPECT_EQ(number("MDC_PRESS_BLD_NONINV_SYS", "120", "%"), "-units");
    EXPECT_EQ(number("MDC_PRESS_BLD_NONINV_SYS", "120", "furlong"), "-units");
    EXPECT_EQ(number("MDC_PRESS_BLD_NONINV_SYS", "120", "mm[Hg]^kPa"), "-units");
    EXPECT_EQ(number("MDC_PRESS_BLD_NONINV_SYS", "120", ""), "-units") << "kPa or mm[Hg]?";
    EXPECT_EQ(number("MDC_TEMP", "98.6", ""), "-units");
    EXPECT_EQ(number("MDC_ECG_HEART_RATE", "72", ""), "72 /min") << "there is only one";
    EXPECT_EQ(number("MDC_RESP_RATE", "16", "264864^MDC_DIM_BEAT_PER_MIN^MDC"), "16 /min");
    // An absence has no magnitude to get wrong.
    EXPECT_EQ(number("MDC_PRESS_BLD_NONINV_SYS", "", ""), "(unknown) mm[Hg]");
    EXPECT_EQ(number("MDC_PRESS_BLD_NONINV_SYS", "", "furlong"), "-units");
}

TEST(ObservationRowTest, CodesThatAreInNoTable) {
    EXPECT_EQ(outcome("1|NM|352^OWN_HR^99X|1|72|/min|||||R"), "-codes");
    EXPECT_EQ(outcome("1|NM|150456^MDC_ECG_HEART_RATE^MDC|1|72|/min|||||R"), "-conflicting-codes");
    EXPECT_EQ(outcome("1|ST|184327^MDC_ECG_STAT_RHY^MDC|1.2.4.20|paced||||||F"), "-codes");
}

TEST(ObservationRowTest, RowsThatAreNoMeasurementArePassedOver) {
    EXPECT_EQ(outcome("1||69965^MDC_DEV_MON_PHYSIO_MULTI_PARAM_MDS^MDC|1.0.0.0|||||||X"), "");
    EXPECT_EQ(outcome("1||0^MDC_DEV_SOMETHING^MDC|1.0.0.0"), "");
    EXPECT_EQ(outcome("1|ST|68162^MDC_ATTR_FILTER_LABEL_STRING^MDC|1.1.1.1.1|0.5-40 Hz"), "");
    EXPECT_EQ(outcome(""), "");
}

}  // namespace
}  // namespace mitral::intake::hl7
