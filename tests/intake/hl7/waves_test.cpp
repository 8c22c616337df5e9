#include <gmock/gmock.h>

#include "clinical/record.hpp"
#include "intake/hl7/reports.hpp"
#include "support/result_matchers.hpp"

namespace mitral::intake::hl7 {
namespace {

using clinical::Decimal;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using Samples = std::vector<std::int32_t>;

const std::string rate = "2|NM|0^MDC_ATTR_SAMP_RATE^MDC|1.1.1.7.1|250|264608^MDC_DIM_PER_SEC^MDC";
const std::string resolution =
    "3|NM|2327^MDC_ATTR_NU_MSMT_RES^MDC|1.1.1.7.2|0.00488|266418^MDC_DIM_MILLI_VOLT^MDC";
const std::string inop = "4|NM|262196^MDC_EVT_INOP^MDC|1.1.1.7.3|9999";

std::string wave(const std::string& samples, const std::string& rest = "|262656^MDC_DIM_DIMLESS") {
    return "1|NA|131330^MDC_ECG_ELEC_POTL_II^MDC|1.1.1.7|" + samples + rest;
}

class WavesTest : public testing::Test {
  protected:
    std::vector<clinical::Reading> read(const std::vector<std::string>& rows) {
        reader_.counts = {};
        auto readings = reader_.read_rows(rows);
        for (const auto& reading : readings)
            EXPECT_TRUE(test::ok(clinical::check(reading)));
        return readings;
    }
    // The one waveform there is.
    clinical::Waveform read_one(const std::vector<std::string>& rows) {
        const auto readings = read(rows);
        EXPECT_EQ(reader_.counts.total(), 0U);
        if (readings.size() != 1 || readings[0].waveforms.size() != 1)
            return {};
        EXPECT_EQ(readings[0].device_time, at("2026-01-01T09:00:00Z"));
        return readings[0].waveforms[0];
    }

    Reader reader_;
};

TEST_F(WavesTest, RateAndResolutionAreFacets) {
    const clinical::Waveform expected{0,        131330,    "MDC_ECG_ELEC_POTL_II", "mV",
                                      {250, 0}, {488, -5}, {80, -88, 92}};
    EXPECT_EQ(read_one({wave("80^-88^92"), rate, resolution}), expected);
    EXPECT_EQ(read_one({wave("80~-88^92"), rate, resolution}), expected) << "either separator";
    EXPECT_EQ(read_one({wave("80^-88^92", "|266418^MDC_DIM_MILLI_VOLT^MDC"), rate, resolution}),
              expected);
    EXPECT_EQ(read_one({wave("80^-88^92", ""), rate, resolution}), expected);
    // In front of the wave, or at its own sub-id.
    auto first = read_one({rate, resolution, wave("80^-88^92")});
    EXPECT_EQ(first.index, 2);
    first.index = 0;
    EXPECT_EQ(first, expected);
    EXPECT_EQ(read_one({"1|NA|131330^MDC_ECG_LEAD_II^MDC|7|80^-88^92|",
                        "2|NM|0^MDC_ATTR_SAMP_RATE^MDC|7|250|Hz",
                        "3|NM|0^MDC_ATTR_NU_MSMT_RES^MDC|7|0.00488|mV"}),
              expected);
}

TEST_F(WavesTest, DecimalsMoveIntoTheScale) {
    const auto got = read_one(
        {wave("0.5^-0.125^2"), rate, "3|NM|0^MDC_ATTR_NU_MSMT_RES^MDC|1.1.1.7.2|1|266418"});
    EXPECT_EQ(got.samples, (Samples{500, -125, 2000}));
    EXPECT_EQ(got.scale, (Decimal{1, -3}));
}

TEST_F(WavesTest, WithoutFactsItIsKeptOut) {
    const std::string other_place = "2|NM|0^MDC_ATTR_SAMP_RATE^MDC|1.1.1.70.1|250|264608";
    const std::string no_unit = "2|NM|0^MDC_ATTR_SAMP_RATE^MDC|1.1.1.7.1|250|";
    const std::string zero_rate = "2|NM|0^MDC_ATTR_SAMP_RATE^MDC|1.1.1.7.1|0|264608";
    for (const auto& facts : {std::vector<std::string>{},
                              {rate},
                              {resolution},
                              {resolution, other_place},
                              {resolution, no_unit},
                              {resolution, zero_rate}}) {
        auto rows = facts;
        rows.insert(rows.begin(), wave("80^88"));
        EXPECT_THAT(read(rows), IsEmpty());
        EXPECT_EQ(reader_.counts.waves, 1U);
    }
    EXPECT_THAT(read({wave("80^88", "|%"), rate, resolution}), IsEmpty());
    EXPECT_EQ(reader_.counts.units, 1U);
    EXPECT_THAT(read({"1|NA|0^MDC_NOTHING^MDC|1.1.1.7|80^88|", rate, resolution}), IsEmpty());
    EXPECT_EQ(reader_.counts.codes, 1U);
    EXPECT_THAT(read({"1|NA|147842^MDC_TEMP^MDC|1.1.1.7|80^88|", rate, resolution}), IsEmpty());
    EXPECT_EQ(reader_.counts.conflicting_codes, 1U);
    for (const auto* bad :
         {"80^eighty", "80^1e3", "80^99999999999", "0.1234567890123", "", "^", "32767^32767"}) {
        EXPECT_THAT(read({wave(bad), rate, resolution}), IsEmpty()) << bad;
        EXPECT_EQ(reader_.counts.waves, 1U) << bad;
    }
    EXPECT_THAT(read({wave("80^88", "|||DEMO"), rate, resolution}), IsEmpty());
    EXPECT_EQ(reader_.counts.waves, 1U);
    EXPECT_THAT(read({wave("80^88", "||||||X"), rate, resolution}), IsEmpty());
    EXPECT_EQ(reader_.counts.waves, 1U);
}

TEST_F(WavesTest, FacetsOfAnotherOrderDoNotCount) {
    const auto readings = reader_.read(std::string(report_header) + std::string(report_order) +
                                       "OBX|" + wave("1^2") + "\r" + std::string(report_order) +
                                       "OBX|" + rate + "\rOBX|" + resolution + "\r");
    EXPECT_THAT(readings, IsEmpty());
    EXPECT_EQ(reader_.counts.waves, 1U);
}

TEST_F(WavesTest, FacetsOfAnotherPatientDoNotCount) {
    const auto of_patient = [](const std::string& rate_of_patient) {
        return "PID|1\rOBX|" + wave("1^2") + "\rOBX|" + rate_of_patient + "\rOBX|" + resolution +
               "\r";
    };
    auto other_rate = rate;
    other_rate.replace(other_rate.find("|250|"), 5, "|500|");
    const auto readings =
        reader_.read(std::string(report_header) + of_patient(rate) + of_patient(other_rate));
    ASSERT_THAT(readings, SizeIs(2));
    EXPECT_EQ(readings[0].waveforms.at(0).rate, (Decimal{250, 0}));
    EXPECT_EQ(readings[1].waveforms.at(0).rate, (Decimal{500, 0}));
}

TEST_F(WavesTest, TheDialectKnowsRateAndScale) {
    DialectCode code;
    code.name = "MDC_ECG_ELEC_POTL_II";
    code.entry = clinical::find_code("MDC_ECG_ELEC_POTL_II");
    code.rate = Decimal{500, 0};
    code.scale = Decimal{5, -3};
    Dialect dialect;
    dialect.codes.push_back(code);
    dialect.index_codes();
    reader_.sender.dialect = &dialect;
    EXPECT_EQ(read_one({wave("1^2")}).rate, (Decimal{500, 0}));
    EXPECT_EQ(read_one({wave("1^2")}).scale, (Decimal{5, -3}));
    EXPECT_EQ(read_one({wave("1^2"), rate, resolution}).rate, (Decimal{250, 0}))
        << "what is sent wins";
}

// The code table speaks where the message says nothing, not where it says something else.
TEST_F(WavesTest, TheDialectDoesNotReplaceWhatIsNotUnderstood) {
    DialectCode code;
    code.name = "MDC_ECG_ELEC_POTL_II";
    code.entry = clinical::find_code("MDC_ECG_ELEC_POTL_II");
    code.rate = Decimal{500, 0};
    code.scale = Decimal{5, -3};
    Dialect dialect;
    dialect.codes.push_back(code);
    dialect.index_codes();
    reader_.sender.dialect = &dialect;
    for (const auto* fact : {"2|NM|0^MDC_ATTR_SAMP_RATE^MDC|1.1.1.7.1|4|264338^MDC_DIM_MILLI_SEC",
                             "2|NM|0^MDC_ATTR_SAMP_RATE^MDC|1.1.1.7.1|fast|264608",
                             "2|ST|0^MDC_ATTR_NU_MSMT_RES^MDC|1.1.1.7.1|10/4096|mV"}) {
        EXPECT_THAT(read({wave("1^2"), fact}), IsEmpty()) << fact;
        EXPECT_EQ(reader_.counts.waves, 1U) << fact;
    }
    EXPECT_THAT(read({wave("1^2"), "2|NM|0^MDC_ATTR_SAMP_RATE^MDC|1.1.1.7.1||264608"}), SizeIs(1))
        << "nothing is said";
}

TEST_F(WavesTest, AnInopThatIsNoSampleKeepsItOut) {
    const std::string leads_off = "4|ST|262196^MDC_EVT_INOP^MDC|1.1.1.7.3|LEADS OFF";
    EXPECT_THAT(read({wave("1^9999"), rate, resolution, leads_off}), IsEmpty());
    EXPECT_EQ(reader_.counts.waves, 1U);
}

TEST_F(WavesTest, MissingSamplesCutIt) {
    const auto readings = read({wave("1^2^32767^3^^4^9999^5^\"\""), rate, resolution, inop});
    ASSERT_THAT(readings, SizeIs(4));
    const auto id = readings[0].control_id;
    const std::vector<std::pair<Samples, const char*>> expected{
        {{1, 2}, "2026-01-01T09:00:00.000Z"},
        {{3}, "2026-01-01T09:00:00.012Z"},
        {{4}, "2026-01-01T09:00:00.020Z"},
        {{5}, "2026-01-01T09:00:00.028Z"}};
    for (std::size_t i = 0; i < expected.size(); ++i) {
        EXPECT_EQ(readings[i].control_id, i == 0 ? id : id + "." + std::to_string(i));
        EXPECT_EQ(readings[i].device_time, at(expected[i].second));
        EXPECT_EQ(readings[i].waveforms.at(0).samples, expected[i].first);
        EXPECT_EQ(readings[i].waveforms.at(0).index, 0);
    }
    // Without the facet 9999 is a sample.
    EXPECT_THAT(read({wave("1^9999"), rate, resolution}).at(0).waveforms.at(0).samples,
                ElementsAre(1, 9999));
}

TEST_F(WavesTest, WithoutATimeItIsNotCut) {
    const auto read_untimed = [&](const std::string& samples) {
        reader_.counts = {};
        return reader_.read(std::string(report_header) + "OBR|1\rOBX|" + wave(samples) + "\rOBX|" +
                            rate + "\rOBX|" + resolution + "\r");
    };
    EXPECT_THAT(read_untimed("1^2^32767^3"), IsEmpty());
    EXPECT_EQ(reader_.counts.waves, 1U);
    EXPECT_THAT(read_untimed("32767^3"), IsEmpty());
    EXPECT_EQ(reader_.counts.waves, 1U);
    const auto whole = read_untimed("1^2^32767");
    ASSERT_THAT(whole, SizeIs(1));
    EXPECT_FALSE(whole[0].device_time);
    EXPECT_THAT(whole[0].waveforms.at(0).samples, ElementsAre(1, 2));
}

TEST_F(WavesTest, TooManyHolesAreNoWave) {
    std::string samples = "1";
    for (int i = 0; i < 63; ++i)
        samples.append("^^1");
    EXPECT_THAT(read({wave(samples), rate, resolution}), SizeIs(64));
    EXPECT_THAT(read({wave(samples + "^^1"), rate, resolution}), IsEmpty());
    EXPECT_EQ(reader_.counts.waves, 1U);
}

TEST_F(WavesTest, ALongOneIsCutAtTheBound) {
    std::string samples = "1";
    for (std::size_t i = 1; i < clinical::max_samples + 250; ++i)
        samples.append("^1");
    const auto readings = read({wave(samples), rate, resolution});
    ASSERT_THAT(readings, SizeIs(2));
    EXPECT_THAT(readings[0].waveforms.at(0).samples, SizeIs(clinical::max_samples));
    EXPECT_THAT(readings[1].waveforms.at(0).samples, SizeIs(250));
    EXPECT_EQ(readings[1].device_time, at("2026-01-01T09:02:11.072Z"));  // 32768 / 250 s later
}

TEST_F(WavesTest, ARecordHoldsThemWhateverTheSamples) {
    std::vector<std::string> rows;
    std::string samples = "2000000000";
    for (int i = 0; i < 3000; ++i)
        samples.append(i % 2 == 0 ? "^-2000000000" : "^2000000000");
    for (int i = 0; i < 20; ++i)
        rows.push_back(wave(samples));
    rows.push_back(rate);
    rows.push_back(resolution);
    const auto readings = read(rows);
    EXPECT_THAT(readings, SizeIs(2));
    std::size_t waves = 0;
    for (const auto& reading : readings) {
        base::Bytes record;
        clinical::append_record(reading, record);
        EXPECT_LE(record.size(), clinical::max_record_size);
        waves += reading.waveforms.size();
    }
    EXPECT_EQ(waves, 20U);
}

// ── ORU^W01 ──────────────────────────────────────────────────────────────────────────────────────

class ChannelsTest : public WavesTest {
  protected:
    std::vector<clinical::Reading> read_channels(const std::vector<std::string>& rows) {
        reader_.counts = {};
        std::string text =
            "MSH|^~\\&|CART||||20260101100000+0100||ORU^W01|7|P|2.6\rOBR|1|||5^RHYTHM^L\r";
        for (const auto& row : rows)
            text.append("OBX|").append(row).append("\r");
        return reader_.read(text);
    }
    const std::string start_ = "1|TS|5&TIM^RHYTHM^L|1|20260101100000.000+0100";
    const std::string channel_ =
        "2|CD|5&CHN^RHYTHM^L|1|1&MDC_ECG_ELEC_POTL_I^LA&RA^0.5&mV^1&0&0^200^-2048&2047";
};

TEST_F(ChannelsTest, AChannelDefinitionSaysAll) {
    const auto readings = read_channels(
        {start_, channel_, "3|NA|5&WAV^RHYTHM^L|1|1^2^3", "4|NA|5&WAV^RHYTHM^L|1|4^5"});
    ASSERT_THAT(readings, SizeIs(2));
    EXPECT_EQ(reader_.counts, NotUnderstood{});
    EXPECT_EQ(
        readings[0].waveforms.at(0),
        (clinical::Waveform{2, 131329, "MDC_ECG_ELEC_POTL_I", "mV", {200, 0}, {5, -1}, {1, 2, 3}}));
    EXPECT_EQ(readings[0].device_time, at("2026-01-01T09:00:00Z"));
    EXPECT_THAT(readings[1].waveforms.at(0).samples, ElementsAre(4, 5));
    EXPECT_EQ(readings[1].device_time, at("2026-01-01T09:00:00.015Z")) << "after the row before it";
}

TEST_F(ChannelsTest, SamplesInTurns) {
    const auto readings =
        read_channels({start_, channel_, "3|CD|5&CHN^RHYTHM^L|1|2&MDC_ECG_ELEC_POTL_II",
                       "4|MA|5&WAV^RHYTHM^L|1|1^-1~2^-2~3^"});
    ASSERT_THAT(readings, SizeIs(2)) << "an index stands once in a reading";
    EXPECT_EQ(readings[0].waveforms.at(0).code, "MDC_ECG_ELEC_POTL_I");
    EXPECT_THAT(readings[0].waveforms.at(0).samples, ElementsAre(1, 2, 3));
    EXPECT_EQ(readings[1].waveforms.at(0).code, "MDC_ECG_ELEC_POTL_II");
    EXPECT_THAT(readings[1].waveforms.at(0).samples, ElementsAre(-1, -2));
    EXPECT_EQ(readings[1].waveforms.at(0).scale, (Decimal{5, -1})) << "as of the channel before";
    EXPECT_EQ(readings[1].device_time, readings[0].device_time);
}

TEST_F(ChannelsTest, CalibrationCounts) {
    const auto readings =
        read_channels({start_, "2|CD|5&CHN^RHYTHM^L|1|1&MDC_ECG_ELEC_POTL_I^^0.5&mV^1.25&1024^200",
                       "3|NA|5&WAV^RHYTHM^L|1|1024^1030"});
    ASSERT_THAT(readings, SizeIs(1));
    EXPECT_THAT(readings[0].waveforms.at(0).samples, ElementsAre(0, 6));
    EXPECT_EQ(readings[0].waveforms.at(0).scale, (Decimal{625, -3}));
    // A skew between channels cannot be said in our records.
    EXPECT_THAT(
        read_channels({start_, "2|CD|5&CHN^RHYTHM^L|1|1&MDC_ECG_ELEC_POTL_I^^0.5&mV^1&0&0.001^200",
                       "3|NA|5&WAV^RHYTHM^L|1|1024^1030"}),
        IsEmpty());
    EXPECT_EQ(reader_.counts.waves, 1U);
}

TEST_F(ChannelsTest, CorrectionIsOfTheSensitivityOfTheChannelBefore) {
    const auto readings = read_channels(
        {start_, "2|CD|5&CHN^RHYTHM^L|1|1&MDC_ECG_ELEC_POTL_I^^0.5&mV^1.25&0^200",
         "3|CD|5&CHN^RHYTHM^L|1|2&MDC_ECG_ELEC_POTL_II^^^1.25&0", "4|MA|5&WAV^RHYTHM^L|1|1^2"});
    ASSERT_THAT(readings, SizeIs(2));
    EXPECT_EQ(readings[0].waveforms.at(0).scale, (Decimal{625, -3}));
    EXPECT_EQ(readings[1].waveforms.at(0).scale, (Decimal{625, -3})) << "not corrected twice";
    const auto other = read_channels(
        {start_, "2|CD|5&CHN^RHYTHM^L|1|1&MDC_ECG_ELEC_POTL_I^^0.5&mV^1.25&0^200",
         "3|CD|5&CHN^RHYTHM^L|1|2&MDC_ECG_ELEC_POTL_II^^1&mV", "4|MA|5&WAV^RHYTHM^L|1|1^2"});
    ASSERT_THAT(other, SizeIs(2));
    EXPECT_EQ(other[1].waveforms.at(0).scale, (Decimal{125, -2})) << "corrected as the one before";
}

TEST_F(ChannelsTest, TheDialectDoesNotReplaceABadCalibration) {
    DialectCode code;
    code.name = "MDC_ECG_ELEC_POTL_I";
    code.entry = clinical::find_code("MDC_ECG_ELEC_POTL_I");
    code.scale = Decimal{5, -1};
    Dialect dialect;
    dialect.codes.push_back(code);
    dialect.index_codes();
    reader_.sender.dialect = &dialect;
    for (const auto* calibration : {"1&0&0.001", "1&zero", "one&0"}) {
        EXPECT_THAT(read_channels({start_,
                                   "2|CD|5&CHN^RHYTHM^L|1|1&MDC_ECG_ELEC_POTL_I^^0.5&mV^" +
                                       std::string(calibration) + "^200",
                                   "3|NA|5&WAV^RHYTHM^L|1|1024^1030"}),
                    IsEmpty())
            << calibration;
        EXPECT_EQ(reader_.counts.waves, 1U) << calibration;
    }
}

TEST_F(ChannelsTest, AnInopFacetCountsForChannelsToo) {
    const auto readings = read_channels({start_, channel_, "3|NA|5&WAV^RHYTHM^L|1|1^2^-2048",
                                         "4|NM|262196^MDC_EVT_INOP^MDC|1.1|-2048"});
    ASSERT_THAT(readings, SizeIs(1));
    EXPECT_THAT(readings[0].waveforms.at(0).samples, ElementsAre(1, 2));
}

// Samples that are not taken have passed all the same.
TEST_F(ChannelsTest, ARowThatIsKeptOutTakesItsTime) {
    for (const auto* bad : {"4|NA|5&WAV^RHYTHM^L|1|4^5||||||X", "4|NA|5&WAV^RHYTHM^L|1|4^five",
                            "4|NA|5&WAV^RHYTHM^L|1|4^5|||DEMO"}) {
        const auto readings = read_channels(
            {start_, channel_, "3|NA|5&WAV^RHYTHM^L|1|1^2^3", bad, "5|NA|5&WAV^RHYTHM^L|1|6"});
        EXPECT_EQ(reader_.counts.waves, 1U) << bad;
        ASSERT_THAT(readings, SizeIs(2)) << bad;
        EXPECT_THAT(readings[1].waveforms.at(0).samples, ElementsAre(6)) << bad;
        EXPECT_EQ(readings[1].device_time, at("2026-01-01T09:00:00.025Z")) << bad;
    }
    const auto readings =
        read_channels({start_, channel_, "3|NA|5&WAV^RHYTHM^L|1|1^2^3",
                       "4|NA|5&WAV^RHYTHM^L|1|||||||X", "5|NA|5&WAV^RHYTHM^L|1|6"});
    EXPECT_EQ(reader_.counts.waves, 2U) << "how long was it?";
    EXPECT_THAT(readings, SizeIs(1));
}

TEST_F(ChannelsTest, WhatDoesNotFitIsKeptOut) {
    EXPECT_THAT(read_channels({start_, channel_, "3|MA|5&WAV^RHYTHM^L|1|1^2~3"}), IsEmpty());
    EXPECT_EQ(reader_.counts.waves, 1U);
    EXPECT_THAT(read_channels({start_, channel_, channel_, "3|NA|5&WAV^RHYTHM^L|1|1^2"}),
                IsEmpty());
    EXPECT_EQ(reader_.counts.waves, 1U);
    EXPECT_THAT(read_channels({start_, "2|CD|5&CHN^RHYTHM^L|1|1&LEAD X^^0.5&mV^^200",
                               "3|NA|5&WAV^RHYTHM^L|1|1^2"}),
                IsEmpty());
    EXPECT_EQ(reader_.counts.codes, 1U);
    EXPECT_THAT(read_channels({start_, channel_, "3|NA|131330&WAV^MDC_ECG_ELEC_POTL_II^MDC|1|1^2"}),
                IsEmpty());
    EXPECT_EQ(reader_.counts.conflicting_codes, 1U);
    EXPECT_THAT(read_channels({start_, channel_, "3|NA|5&WAV^RHYTHM^L|2|1^2"}), IsEmpty());
    EXPECT_EQ(reader_.counts.codes, 1U) << "another channel group";
}

}  // namespace
}  // namespace mitral::intake::hl7
