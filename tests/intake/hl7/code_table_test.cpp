#include "intake/hl7/code_table.hpp"

#include <gtest/gtest.h>

#include "base/errors.hpp"
#include "intake/hl7/reports.hpp"
#include "support/proves.hpp"
#include "support/result_matchers.hpp"

namespace mitral::intake::hl7 {
namespace {

using clinical::Absent;
using clinical::Decimal;

TEST(CodeTableTest, SaysWhatAMonitorMeans) {
    const auto dialect = parse_code_table(R"([dialect]
name = "ward-x"
system = "99X"
units = { "mm Hg" = "mm[Hg]", "\u00B0C" = "Cel" }
absent = { "-1" = "not-measured", "?" = "error" }
zero = "absent"
control_id = "message-type"

[[dialect.code]]
id = "352"
name = "X_HR"
means = "MDC_ECG_HEART_RATE"
unit = "/min"
absent = { "-2" = "sensor-off" }
zero = "value"

[[dialect.code]]
system = "99Y"
name = "Y_LEAD"
means = "MDC_ECG_ELEC_POTL_II"
rate = "250"
scale = "0.00488"

[[dialect.code]]
id = "77"
publish_as = "X_RR_INTERVAL"
units = { "msec" = "ms" }
)",
                                          "x.toml");
    ASSERT_TRUE(test::ok(dialect));
    EXPECT_EQ(dialect->name, "ward-x");
    EXPECT_TRUE(dialect->control_id_is_type);
    EXPECT_EQ(dialect->units.at("\xC2\xB0"
                                "C"),
              "Cel");
    ASSERT_EQ(dialect->absent.size(), 2U);
    EXPECT_EQ(dialect->zero, ZeroRule::absent);
    const auto* rate = dialect->find_id("352", "99X");
    ASSERT_NE(rate, nullptr);
    EXPECT_EQ(rate->entry->name, "MDC_ECG_HEART_RATE");
    EXPECT_EQ(rate->unit, "/min");
    EXPECT_EQ(rate->absent.at(0).reason, Absent::sensor_off);
    EXPECT_EQ(rate->zero, ZeroRule::value);
    const auto* lead = dialect->find_name("Y_LEAD", "99Y");
    ASSERT_NE(lead, nullptr);
    EXPECT_EQ(lead->rate, (Decimal{250, 0}));
    EXPECT_EQ(lead->scale, (Decimal{488, -5}));
    EXPECT_EQ(dialect->find_name("Y_LEAD", "99X"), nullptr);
    EXPECT_EQ(dialect->find_id("77", "99X")->own_name, "X_RR_INTERVAL");
}

TEST(CodeTableTest, AnErrorIsOneLineWithItsPlace) {
    MITRAL_PROVES("T-SW-07", "CR 3.5");
    const auto error = [](const std::string& text) {
        const auto dialect = parse_code_table("[dialect]\nname = 'x'\n" + text, "x.toml");
        EXPECT_TRUE(test::failed_with(dialect, base::BaseError::invalid_setting)) << text;
        return dialect ? "" : dialect.error().context;
    };
    const auto code = [&](const std::string& text) {
        return error("[[dialect.code]]\nid = '1'\n" + text);
    };
    const std::string see = "; see docs/adapters/hl7-codes.md";
    EXPECT_EQ(
        code("means = 'MDC_NOTHING'\n"),
        "x.toml line 5: means in [dialect.code] is none of the reference ids that Mitral knows" +
            see);
    EXPECT_EQ(
        code("means = 'MDC_TEMP'\nunit = 'bpm'\n"),
        "x.toml line 6: unit in [dialect.code] is no unit for this, or not written in UCUM" + see);
    EXPECT_EQ(
        code("means = 'MDC_TEMP'\nunits = { 'grad' = 'mm[Hg]' }\n"),
        "x.toml line 6: units in [dialect.code] gives \"mm[Hg]\", which is no unit for this" + see);
    EXPECT_EQ(code("unit = '/min'\n"),
              "x.toml line 3: means in [dialect.code] or publish_as must be given, and only one of "
              "the two" +
                  see);
    for (const auto* wrong :
         {"publish_as = 'MDC_MINE'\nunit = 'ms'\n", "publish_as = 'Doe, Jane'\nunit = 'ms'\n",
          "publish_as = 'X'\n", "publish_as = 'X'\nmeans = 'MDC_TEMP'\n",
          "means = 'MDC_TEMP'\nabsent = { '-1' = 'broken' }\n",
          "means = 'MDC_TEMP'\nabsent = { '' = 'error' }\n", "means = 'MDC_TEMP'\nzero = 'no'\n",
          "means = 'MDC_TEMP'\nrate = '-1'\n", "means = 'MDC_TEMP'\nscale = '0'\n",
          "means = 'MDC_TEMP'\nscale = 'x'\n", "means = 'MDC_TEMP'\nmeens = 'x'\n",
          "means = 'MDC_TEMP'\n[[dialect.code]]\nid = '1'\nmeans = 'MDC_TEMP'\n"})
        EXPECT_NE(code(wrong), "") << wrong;
    for (const auto* wrong :
         {"units = { 'bpm' = 'bpm' }\n", "control_id = 'x'\n", "zero = 1\n", "colour = 'red'\n",
          "[other]\n", "[[dialect.code]]\nmeans = 'MDC_TEMP'\n", "x = [\n"})
        EXPECT_NE(error(wrong), "") << wrong;
    EXPECT_TRUE(
        test::failed_with(parse_code_table("", "x.toml"), base::BaseError::invalid_setting));
    EXPECT_FALSE(load_code_table("/nonexistent.toml"));
}

// What a table says counts in messages.
class WithTableTest : public testing::Test {
  protected:
    std::vector<clinical::Observation> read(const std::string& row) {
        reader_.counts = {};
        reader_.sender.dialect = &dialect_;
        auto readings = reader_.read_rows({row});
        return readings.empty() ? std::vector<clinical::Observation>{} : readings[0].observations;
    }

    Dialect dialect_ = *parse_code_table(R"([dialect]
name = "x"
system = "99X"
absent = { "-2" = "error", "?" = "sensor-off" }
[[dialect.code]]
id = "352"
name = "X_TEMP"
means = "MDC_TEMP"
unit = "Cel"
units = { "grad" = "Cel" }
absent = { "-1" = "not-measured" }
[[dialect.code]]
id = "77"
publish_as = "X_RR"
unit = "ms"
[[dialect.code]]
system = "MDC"
name = "MDC_RESP_RATE"
means = "MDC_RESP_RATE"
zero = "absent"
)",
                                         "x.toml");
    Reader reader_;
};

TEST_F(WithTableTest, CodesUnitsAndSentinels) {
    const auto temperature = [](std::variant<Decimal, Absent> value) {
        return std::vector<clinical::Observation>{{0, 150344, "MDC_TEMP", "Cel", value}};
    };
    EXPECT_EQ(read("1|NM|352^X_TEMP^99X||36.6|"), temperature(Decimal{366, -1}));
    EXPECT_EQ(read("1|NM|352^X_TEMP^99X||36.6|grad"), temperature(Decimal{366, -1}));
    EXPECT_EQ(read("1|NM|352^X_TEMP^99X||-1.00|grad"), temperature(Absent::not_measured));
    EXPECT_EQ(read("1|ST|352^X_TEMP^99X||?|grad"), temperature(Absent::sensor_off));
    EXPECT_EQ(read("1|NM|352^X_TEMP^99X||-2|"), temperature(Absent::error));
    EXPECT_TRUE(read("1|NM|352^X_TEMP^99X||36.6|furlong").empty());
    EXPECT_EQ(reader_.counts.units, 1U);
}

TEST_F(WithTableTest, NamesOfTheTablesOwn) {
    const std::vector<clinical::Observation> expected{{0, 0, "X_RR", "ms", Decimal{812, 0}}};
    EXPECT_EQ(read("1|NM|77^whatever it is^99X||812|ms"), expected);
    EXPECT_EQ(read("1|NM|77^^99X||812|"), expected);
    // Nothing is known to be impossible for it.
    EXPECT_EQ(read("1|NM|77^^99X||-100|").at(0).value,
              (std::variant<Decimal, Absent>(Decimal{-100, 0})));
}

TEST_F(WithTableTest, RulesForStandardCodes) {
    EXPECT_EQ(read("1|NM|151562^MDC_RESP_RATE^MDC||0|").at(0).value,
              (std::variant<Decimal, Absent>(Absent::not_measured)));
    EXPECT_EQ(read("1|NM|151562^breaths^MDC||0|").at(0).value,
              (std::variant<Decimal, Absent>(Absent::not_measured)));
    EXPECT_TRUE(read("1|NM|150456^MDC_RESP_RATE^MDC||12|").empty());
    EXPECT_EQ(reader_.counts.conflicting_codes, 1U);
}

}  // namespace
}  // namespace mitral::intake::hl7
