#include "intake/hl7/parameter.hpp"

#include <gtest/gtest.h>

#include <string>

#include "support/proves.hpp"

namespace mitral::intake::hl7 {
namespace {

const Delimiters delimiters;

// The name it means, "?" where it is unknown, "!" where it is two things.
std::string means(std::string_view field, const Dialect* dialect = nullptr,
                  std::string_view ucum = {}) {
    const auto match = read_parameter(Part(field, delimiters), dialect, ucum);
    switch (match.verdict) {
        case ParameterMatch::Verdict::found:
            return std::string(match.parameter.name());
        case ParameterMatch::Verdict::unknown:
            return "?";
        case ParameterMatch::Verdict::conflicting:
            return "!";
    }
    return "";
}

TEST(ParameterTest, ByNumberAndName) {
    for (const auto* field :
         {"147842^MDC_ECG_HEART_RATE^MDC", "0^MDC_ECG_HEART_RATE^MDC", "^MDC_ECG_HEART_RATE^MDC",
          "999999^MDC_ECG_HEART_RATE^MDC", "147842^Heart Rate^MDC", "147842^^MDC", "147842",
          "147842^HR", "MDC_ECG_HEART_RATE^^MDC", "147842^MDC_ECG_CARD_BEAT_RATE^MDC",
          "0^MDC_ECG_HEART_RATE^99X", " 147842 ^ MDC_ECG_HEART_RATE ^ MDC ",
          "77^own^99X^147842^MDC_ECG_HEART_RATE^MDC", "147842&WAV^MDC_ECG_HEART_RATE^MDC"})
        EXPECT_EQ(means(field), "MDC_ECG_HEART_RATE") << field;
}

TEST(ParameterTest, WhatIsInNoTableIsUnknown) {
    for (const auto* field :
         {"", "^^", "0^^MDC", "352^OWN_HR^99X", "147842^Heart Rate^99X", "147842^^LN",
          "16770^MDC^MDC", "0^MDC_ECG_HEART_RAT^MDC", "0^mdc_ecg_heart_rate^MDC", "-147842^^MDC",
          "147842.0^^MDC", "0^HEART_RATE^MDC"})
        EXPECT_EQ(means(field), "?") << field;
}

TEST(ParameterTest, TwoMeaningsAreNone) {
    MITRAL_PROVES("T-DATA-05");
    for (const auto* field : {"150456^MDC_ECG_HEART_RATE^MDC", "147842^MDC_TEMP^MDC",
                              "147842^MDC_SOMETHING_NOBODY_KNOWS^MDC",
                              "147842^MDC_ECG_HEART_RATE^MDC^150456^MDC_PULS_OXIM_SAT_O2^MDC"})
        EXPECT_EQ(means(field), "!") << field;
}

// A number that could not be checked does not name anything, and does not contradict.
TEST(ParameterTest, UnverifiedNumbersDoNotCount) {
    EXPECT_EQ(means("150037^^MDC"), "?");
    EXPECT_EQ(means("150037^MDC_PRESS_BLD_ART_ABP_SYS^MDC"), "MDC_PRESS_BLD_ART_ABP_SYS");
    EXPECT_EQ(means("150037^MDC_PRESS_BLD_ART_SYS^MDC"), "MDC_PRESS_BLD_ART_SYS");
}

TEST(ParameterTest, LoincWhereItNamesOne) {
    EXPECT_EQ(means("59408-5^SpO2^LN"), "MDC_PULS_OXIM_SAT_O2");
    EXPECT_EQ(means("x^y^L^8889-8^pulse^LN"), "MDC_PULS_OXIM_PULS_RATE");
    EXPECT_EQ(means("41653-7^glucose^LN", nullptr, "mg/dL"), "MDC_CONC_GLU_CAPILLARY_WHOLEBLOOD");
    EXPECT_EQ(means("41653-7^glucose^LN", nullptr, "mmol/L"), "?") << "14743-9 says that";
    EXPECT_EQ(means("8310-5^temperature^LN"), "?") << "five kinds share it";
    EXPECT_EQ(means("8867-4^heart rate^LN"), "?");
    EXPECT_EQ(means("60985-9^CVP^LN"), "?") << "unverified";
    EXPECT_EQ(means("59408-5^SpO2"), "?") << "nobody says that it is LOINC";
}

class DialectParameterTest : public testing::Test {
  protected:
    DialectParameterTest() {
        add("352", "OWN_HR", "MDC_ECG_HEART_RATE");
        add("353", "", "MDC_RESP_RATE");
        add("", "OWN_SPO2", "MDC_PULS_OXIM_SAT_O2");
        add("150456", "MDC_TEMP", "MDC_TEMP");  // a wrong number, known to be wrong
        DialectCode own;
        own.system = "99X";
        own.id = "900";
        own.own_name = "OWN_RR_INTERVAL";
        own.unit = "ms";
        dialect_.codes.push_back(own);
        dialect_.index_codes();
    }
    void add(const char* id, const char* name, const char* reference_id) {
        DialectCode code;
        code.system = name == std::string("MDC_TEMP") ? "MDC" : "99X";
        code.id = id;
        code.name = name;
        code.entry = clinical::find_code(reference_id);
        dialect_.codes.push_back(code);
    }
    std::string means(std::string_view field) { return hl7::means(field, &dialect_); }

    Dialect dialect_;
};

TEST_F(DialectParameterTest, PrivateCodes) {
    EXPECT_EQ(means("352^OWN_HR^99X"), "MDC_ECG_HEART_RATE");
    EXPECT_EQ(means("352^anything^99X"), "MDC_ECG_HEART_RATE");
    EXPECT_EQ(means("0^OWN_HR^99X"), "MDC_ECG_HEART_RATE");
    EXPECT_EQ(means("0^OWN_SPO2^99X"), "MDC_PULS_OXIM_SAT_O2");
    EXPECT_EQ(means("OWN_SPO2^^99X"), "MDC_PULS_OXIM_SAT_O2");
    EXPECT_EQ(means("900^^99X"), "OWN_RR_INTERVAL");
    EXPECT_EQ(means("150456^MDC_TEMP^MDC"), "MDC_TEMP");
    EXPECT_EQ(means("x^y^L^353^^99X"), "MDC_RESP_RATE");
}

TEST_F(DialectParameterTest, OfTheirSystemOnly) {
    EXPECT_EQ(means("352^OWN_HR^99Y"), "?");
    EXPECT_EQ(means("352^OWN_HR"), "?");
}

TEST_F(DialectParameterTest, ConflictsAreSeenAcrossBothTables) {
    EXPECT_EQ(means("352^OWN_SPO2^99X"), "!");
    EXPECT_EQ(means("353^MDC_TEMP^99X"), "!");
    EXPECT_EQ(means("150456^MDC_PULS_OXIM_SAT_O2^MDC"), "!")
        << "the table says that this number is a temperature";
    EXPECT_EQ(means("352^OWN_HR^99X^150456^MDC_TEMP^MDC"), "!");
}

TEST(ParameterTest, PublishesNoUncheckedNumber) {
    const auto match =
        read_parameter(Part("0^MDC_PRESS_BLD_ART_ABP_SYS^MDC", delimiters), nullptr, {});
    EXPECT_EQ(match.parameter.mdc(), 0U);
}

}  // namespace
}  // namespace mitral::intake::hl7
