// The code tables that are installed as examples, each with what it is made for.
#include <gtest/gtest.h>

#include <filesystem>
#include <set>

#include "clinical/record.hpp"
#include "intake/hl7/code_table.hpp"
#include "intake/hl7/reports.hpp"
#include "support/result_matchers.hpp"

namespace mitral::intake::hl7 {
namespace {

const std::filesystem::path tables = std::filesystem::path(MITRAL_SOURCE_DIR) / "share/codes";

// "CODE VALUE UNIT" of a row with and without the table; "-" where it is kept out.
class ShippedTable : public testing::Test {
  protected:
    void load(const char* file) {
        auto loaded = load_code_table((tables / file).string());
        ASSERT_TRUE(test::ok(loaded));
        dialect_ = *std::move(loaded);
    }
    std::string with(const std::string& row) { return outcome(row, &dialect_); }
    static std::string without(const std::string& row) { return outcome(row, nullptr); }

    Dialect dialect_;

  private:
    static std::string outcome(const std::string& row, const Dialect* dialect) {
        Reader reader;
        reader.sender.dialect = dialect;
        const auto readings = reader.read_rows({row});
        if (readings.empty())
            return "-";
        EXPECT_TRUE(test::ok(clinical::check(readings[0])));
        if (!readings[0].waveforms.empty()) {
            const auto& wave = readings[0].waveforms[0];
            return wave.code + " " + clinical::to_string(wave.rate) + "/s " +
                   clinical::to_string(wave.scale) + " " + wave.unit;
        }
        const auto& got = readings[0].observations.at(0);
        const auto* number = std::get_if<clinical::Decimal>(&got.value);
        return got.code + " " +
               (number != nullptr
                    ? clinical::to_string(*number)
                    : std::string(clinical::to_string(std::get<clinical::Absent>(got.value)))) +
               " " + got.unit;
    }
};

TEST(ShippedTables, EveryOneCanBeReadAndIsNamedAsItsFile) {
    std::set<std::string> names;
    for (const auto& file : std::filesystem::directory_iterator(tables)) {
        const auto dialect = load_code_table(file.path().string());
        ASSERT_TRUE(test::ok(dialect)) << file.path();
        EXPECT_EQ(dialect->name, file.path().stem().string());
        names.insert(dialect->name);
    }
    // Whoever adds one adds a test of what it does.
    EXPECT_EQ(names, (std::set<std::string>{"bedside", "loinc-monitor", "mdc-wrong-numbers",
                                            "mdc-zero-missing", "private-99mon"}));
}

TEST_F(ShippedTable, Bedside) {
    load("bedside.toml");
    EXPECT_EQ(with("1|NM|4101^HR^99MON||62.8|bpm"), "MDC_ECG_HEART_RATE 62.8 /min");
    EXPECT_EQ(without("1|NM|4101^HR^99MON||62.8|bpm"), "-");
    EXPECT_EQ(with("1|NM|4201^ART_S^99MON||0|mmHg"), "MDC_PRESS_BLD_ART_SYS not-measured mm[Hg]");
    EXPECT_EQ(with("1|NM|4201^ART_S^99MON||-100|mmHg"),
              "MDC_PRESS_BLD_ART_SYS not-measured mm[Hg]");
    EXPECT_EQ(with("1|NA|4112^ECG_V^99MON||-26^13|mV"), "MDC_ECG_ELEC_POTL_V 250/s 0.000539 mV");
    EXPECT_EQ(with("1|NA|4311^PLETH^99MON||-26^13|"), "MDC_PULS_OXIM_PLETH 250/s 0.000800 1");
}

TEST_F(ShippedTable, MdcZeroMissing) {
    load("mdc-zero-missing.toml");
    const std::string rate = "1|NM|147842^MDC_ECG_HEART_RATE^MDC|1|0|264864";
    EXPECT_EQ(with(rate), "MDC_ECG_HEART_RATE not-measured /min");
    EXPECT_EQ(without(rate), "MDC_ECG_HEART_RATE 0 /min");
    EXPECT_EQ(with("1|NM|150087^MDC_PRESS_BLD_VEN_CENT_MEAN^MDC|1|0|266016"),
              "MDC_PRESS_BLD_VEN_CENT_MEAN 0 mm[Hg]");
    EXPECT_EQ(with("1|NM|151562^MDC_RESP_RATE^MDC|1|0|264928"), "MDC_RESP_RATE 0 /min");
}

TEST_F(ShippedTable, Private99Mon) {
    load("private-99mon.toml");
    EXPECT_EQ(with("1|NM|352^MON_HR^99MON|1|72|"), "MDC_ECG_HEART_RATE 72 /min");
    EXPECT_EQ(without("1|NM|352^MON_HR^99MON|1|72|"), "-");
    EXPECT_EQ(with("1|NM|352^MON_HR^99MON|1|-100|"), "MDC_ECG_HEART_RATE not-measured /min");
    EXPECT_EQ(with("1|NM|352^MON_HR^99MON|1|-999|"), "MDC_ECG_HEART_RATE error /min");
    EXPECT_EQ(with("1|ST|352^MON_HR^99MON|1|-?-|"), "MDC_ECG_HEART_RATE unknown /min");
    EXPECT_EQ(with("1|NM|353^MON_SPO2^99MON|1|127|%"), "MDC_PULS_OXIM_SAT_O2 sensor-off %");
    EXPECT_EQ(with("1|NM|360^MON_T1^99MON|1|-1|"), "MDC_TEMP not-measured Cel");
    EXPECT_EQ(with("1|NM|360^MON_T1^99MON|1|36.6|\xC2\xB0"
                   "C"),
              "MDC_TEMP 36.6 Cel");
    EXPECT_EQ(with("1|NM|371^MON_NIBP_S^99MON|1|121|mm Hg"), "MDC_PRESS_BLD_NONINV_SYS 121 mm[Hg]");
    EXPECT_EQ(with("1|NM|390^MON_PVC^99MON|1|3|"), "MON_PVC_RATE 3 /min");
    EXPECT_EQ(with("1|NA|401^MON_ECG_II^99MON|1|1^2^3|"), "MDC_ECG_ELEC_POTL_II 250/s 0.00488 mV");
    EXPECT_EQ(with("1|NM|0^MON_HR^99MON|1|72|"), "MDC_ECG_HEART_RATE 72 /min");
    EXPECT_EQ(with("1|NM|352^MON_SPO2^99MON|1|72|"), "-") << "number and name do not agree";
    EXPECT_TRUE(dialect_.control_id_is_type);
}

TEST_F(ShippedTable, LoincMonitor) {
    load("loinc-monitor.toml");
    EXPECT_EQ(with("1|NM|8867-4^Heart rate^LN|1|72|/min"), "MDC_ECG_HEART_RATE 72 /min");
    EXPECT_EQ(without("1|NM|8867-4^Heart rate^LN|1|72|/min"), "-");
    EXPECT_EQ(with("1|NM|2708-6^SaO2^LN|1|97|%"), "MDC_PULS_OXIM_SAT_O2 97 %");
    EXPECT_EQ(with("1|NM|9279-1^Resp^LN|1|16|/min"), "MDC_RESP_RATE 16 /min");
    EXPECT_EQ(with("1|NM|8480-6^^LN|1|121|mm[Hg]"), "MDC_PRESS_BLD_NONINV_SYS 121 mm[Hg]");
    EXPECT_EQ(with("1|NM|8462-4^^LN|1|71|mm[Hg]"), "MDC_PRESS_BLD_NONINV_DIA 71 mm[Hg]");
    EXPECT_EQ(with("1|NM|8478-0^^LN|1|88|mm[Hg]"), "MDC_PRESS_BLD_NONINV_MEAN 88 mm[Hg]");
    EXPECT_EQ(with("1|NM|8310-5^^LN|1|36.6|Cel"), "MDC_TEMP_BODY 36.6 Cel");
}

TEST_F(ShippedTable, MdcWrongNumbers) {
    load("mdc-wrong-numbers.toml");
    const std::string perfusion = "1|NM|150344^MDC_PULS_OXIM_PERF_REL^MDC|1|2.2|262688";
    EXPECT_EQ(with(perfusion), "MDC_PULS_OXIM_PERF_REL 2.2 %");
    EXPECT_EQ(without(perfusion), "-");
    EXPECT_EQ(with("1|NM|150344^MDC_TEMP^MDC|1|36.6|Cel"), "-") << "not from this monitor";
    const std::string lead =
        "1|NA|131329^MDC_ECG_ELEC_POTL_I^MDC|1.1.1.2|-10^5|10.mV/4096^x^UCUM\r"
        "OBX|2|NM|0^MDC_ATTR_SAMP_RATE^MDC|1.1.1.2.1|500|264608";
    EXPECT_EQ(with(lead), "MDC_ECG_ELEC_POTL_I 500/s 0.00244140625 mV");
    EXPECT_EQ(without(lead), "-");
    EXPECT_EQ(with("1|NA|131330^MDC_ECG_ELEC_POTL_II^MDC|1.1.1.2|-10^5|10.mV/4096^x^UCUM\r"
                   "OBX|2|NM|0^MDC_ATTR_SAMP_RATE^MDC|1.1.1.2.1|500|264608"),
              "MDC_ECG_ELEC_POTL_II 500/s 0.00244140625 mV");
}

}  // namespace
}  // namespace mitral::intake::hl7
