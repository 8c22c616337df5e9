#include "clinical/codes.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "clinical/identifier.hpp"
#include "support/proves.hpp"

namespace mitral::clinical {
namespace {

TEST(Codes, AreFoundBothWays) {
    const auto* heart_rate = find_code("MDC_ECG_HEART_RATE");
    ASSERT_NE(heart_rate, nullptr);
    EXPECT_EQ(heart_rate->mdc, 147842U);
    EXPECT_EQ(find_code(147842U), heart_rate);
    EXPECT_EQ(published_loinc("MDC_ECG_HEART_RATE", "/min"), "8867-4");
    EXPECT_EQ(find_code("MDC_ECG_HEART_RAT"), nullptr);
    EXPECT_EQ(find_code("mdc_ecg_heart_rate"), nullptr);
    EXPECT_EQ(find_code(0U), nullptr);
}

TEST(Codes, TableIsConsistent) {
    MITRAL_PROVES("T-DATA-05");
    std::set<std::uint32_t> numbers;
    for (const auto& code : all_codes()) {
        EXPECT_TRUE(numbers.insert(code.mdc).second) << code.name;
        EXPECT_TRUE(is_identifier(code.name)) << code.name;
        EXPECT_EQ(find_code(code.name), &code);
        EXPECT_EQ(find_code(code.mdc), &code);
        ASSERT_FALSE(code.units.empty()) << code.name;
        for (const auto& unit : code.units) {
            EXPECT_TRUE(is_unit(unit.ucum)) << unit.ucum;
            EXPECT_TRUE(ucum_for_misspelling(unit.ucum).empty()) << unit.ucum;
            EXPECT_EQ(find_unit(code, unit.ucum), &unit);
        }
        // Partition 2 (SCADA) holds the measurements of ISO/IEEE 11073-10101.
        // block.
        EXPECT_EQ(code.mdc >> 16, 2U) << code.name;
    }
    EXPECT_EQ(numbers.size(), 37U);
}

TEST(Codes, KnowTheirUnitsOnly) {
    MITRAL_PROVES("T-DATA-05");
    const auto* cuff = find_code("MDC_PRESS_BLD_NONINV_SYS");
    ASSERT_NE(cuff, nullptr);
    EXPECT_NE(find_unit(*cuff, "mm[Hg]"), nullptr);
    EXPECT_NE(find_unit(*cuff, "kPa"), nullptr);
    for (const char* wrong : {"/min", "mmHg", "%", "", "MM[HG]", "kpa"})
        EXPECT_EQ(find_unit(*cuff, wrong), nullptr) << wrong;
    EXPECT_EQ(ucum_for_misspelling("mmHg"), "mm[Hg]");
    EXPECT_EQ(ucum_for_misspelling("bpm"), "/min");
    EXPECT_EQ(ucum_for_misspelling("degC"), "Cel");
}

TEST(Codes, LoincFollowsTheUnit) {
    MITRAL_PROVES("T-DATA-05");
    EXPECT_EQ(published_loinc("MDC_CONC_GLU_CAPILLARY_WHOLEBLOOD", "mg/dL"), "41653-7");
    EXPECT_EQ(published_loinc("MDC_CONC_GLU_CAPILLARY_WHOLEBLOOD", "mmol/L"), "14743-9");
    EXPECT_EQ(published_loinc("MDC_CONC_GLU_CAPILLARY_WHOLEBLOOD", "kPa"), "");
}

TEST(Codes, PublishNothingUnverified) {
    MITRAL_PROVES("T-DATA-05");
    const auto* end_tidal = find_code("MDC_CONC_AWAY_CO2_ET");
    ASSERT_NE(end_tidal, nullptr);
    EXPECT_EQ(end_tidal->mdc_evidence, Evidence::unverified);
    EXPECT_EQ(published_mdc(*end_tidal), 0U);
    EXPECT_EQ(published_loinc("MDC_CONC_AWAY_CO2_EXP", "mm[Hg]"), "");
    EXPECT_EQ(published_mdc(*find_code("MDC_CONC_AWAY_CO2_EXP")), 151712U);
    EXPECT_EQ(published_loinc("MDC_PRESS_BLD_VEN_CENT_MEAN", "mm[Hg]"), "");
}

TEST(Identifiers, HaveNoRoomForNames) {
    MITRAL_PROVES("T-DATA-06", "T-SW-01");
    EXPECT_TRUE(is_identifier("bed-1"));
    EXPECT_TRUE(is_identifier("MDC_ECG_HEART_RATE"));
    EXPECT_TRUE(is_identifier(std::string(64, 'a')));
    for (const char* wrong :
         {"", "Jane Doe", "Müller", "a/b", "a\"b", "a\\b", "a\nb", "a,b", "a@b"})
        EXPECT_FALSE(is_identifier(wrong)) << wrong;
    EXPECT_FALSE(is_identifier(std::string(65, 'a')));
    EXPECT_FALSE(is_identifier(std::string_view("a\0", 2)));
    EXPECT_TRUE(is_unit("mm[Hg]"));
    EXPECT_TRUE(is_unit("{score}"));
    for (const char* wrong : {"", "mm Hg", "µg", "\"", "\\", "\x7f", "a\n"})
        EXPECT_FALSE(is_unit(wrong)) << wrong;
    EXPECT_FALSE(is_unit(std::string(33, 'm')));
}

}  // namespace
}  // namespace mitral::clinical
