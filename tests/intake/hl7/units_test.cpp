#include "intake/hl7/units.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "clinical/codes.hpp"

namespace mitral::intake::hl7 {
namespace {

using Verdict = UnitMatch::Verdict;

const Delimiters delimiters;

UnitMatch read(std::string_view field, const Dialect* dialect = nullptr,
               const DialectCode* code = nullptr) {
    return read_unit(Part(field, delimiters), dialect, code);
}

TEST(UnitTest, NumberNameUcumOrMisspelling) {
    const std::vector<std::pair<const char*, const char*>> units{
        {"264864^MDC_DIM_BEAT_PER_MIN^MDC", "/min"},
        {"264864", "/min"},
        {"264864^beats per minute^MDC", "/min"},
        {"MDC_DIM_MMHG^MDC_DIM_MMHG^MDC", "mm[Hg]"},
        {"^MDC_DIM_PERCENT^MDC", "%"},
        {"0^MDC_DIM_DEGC^MDC", "Cel"},
        {"/min", "/min"},
        {"/min^/min^UCUM", "/min"},
        {"mm[Hg]^^UCUM", "mm[Hg]"},
        {" mmHg ", "mm[Hg]"},
        {"^bpm", "/min"},
        {"degF", "[degF]"},
        {"own^own^99X^266016^MDC_DIM_MMHG^MDC", "mm[Hg]"},
        {"1", "1"},
        {"[lb_av]", "[lb_av]"},
    };
    for (const auto& [field, ucum] : units) {
        EXPECT_EQ(read(field).verdict, Verdict::found) << field;
        EXPECT_EQ(read(field).ucum, ucum) << field;
    }
}

TEST(UnitTest, UnknownEmptyAndConflicting) {
    for (const auto* field : {"", "\"\"", "^^", "^^MDC"})
        EXPECT_EQ(read(field).verdict, Verdict::empty) << field;
    for (const auto* field : {"furlong", "MM[HG]", "999999", "MDC_DIM_FURLONG", "cel", "%%"})
        EXPECT_EQ(read(field).verdict, Verdict::unknown) << field;
    for (const auto* field :
         {"266016^MDC_DIM_KILO_PASCAL^MDC", "mm[Hg]^kPa", "/min^^UCUM^262688^MDC_DIM_PERCENT^MDC",
          "^^^266016^MDC_DIM_KILO_PASCAL^MDC"})
        EXPECT_EQ(read(field).verdict, Verdict::conflicting) << field;
}

TEST(UnitTest, SpellingsOfADialect) {
    Dialect dialect;
    dialect.units = {{"mm Hg", "mm[Hg]"},
                     {"\xC2\xB0"
                      "C",
                      "Cel"}};
    EXPECT_EQ(read("mm Hg", &dialect).ucum, "mm[Hg]");
    EXPECT_EQ(read("\xC2\xB0"
                   "C",
                   &dialect)
                  .ucum,
              "Cel");
    EXPECT_EQ(read("mm Hg").verdict, Verdict::unknown);
    DialectCode code;
    code.unit = "ms";
    code.units = {{"msec", "ms"}, {"mm Hg", "kPa"}};
    EXPECT_EQ(read("ms", &dialect, &code).ucum, "ms");
    EXPECT_EQ(read("msec", &dialect, &code).ucum, "ms");
    EXPECT_EQ(read("mm Hg", &dialect, &code).ucum, "kPa") << "the code's own word counts first";
}

// Every unit of the nomenclature can be said by its MDC number and by its UCUM.
TEST(UnitTest, CoversTheNomenclature) {
    std::set<std::string_view> seen;
    for (const auto& code : clinical::all_codes()) {
        for (const auto& unit : code.units) {
            seen.insert(unit.ucum);
            EXPECT_EQ(ucum_of(unit.ucum), unit.ucum);
            if (unit.mdc_unit != 0) {
                EXPECT_EQ(ucum_of(std::to_string(unit.mdc_unit)), unit.ucum);
            }
        }
    }
    EXPECT_GE(seen.size(), 14U);
}

}  // namespace
}  // namespace mitral::intake::hl7
