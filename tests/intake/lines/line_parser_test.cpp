#include "intake/lines/line_parser.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <string>

#include "clinical/record.hpp"
#include "support/proves.hpp"

namespace mitral::intake {
namespace {

using clinical::Absent;
using clinical::Decimal;
using ::testing::HasSubstr;
using ::testing::Not;

// A line in memory of exactly its size and padding, so that a read beyond is found by the
// sanitizer.
class Padded {
  public:
    explicit Padded(std::string_view text)
        : memory_(std::make_unique<char[]>(text.size() + LineParser::padding)),
          view_(memory_.get(), text.size()) {
        text.copy(memory_.get(), text.size());
        // The worst that may stand behind a line: more of the same.
        for (std::size_t i = 0; i < LineParser::padding; ++i)
            memory_[text.size() + i] = "}]\"0,{"[i % 6];
    }
    [[nodiscard]] std::string_view view() const { return view_; }

  private:
    std::unique_ptr<char[]> memory_;
    std::string_view view_;
};

class LineParserTest : public ::testing::Test {
  protected:
    // The reason of the refusal; empty: accepted.
    std::string read(std::string_view line) {
        const Padded padded(line);
        reading.source = "bed-1";
        reading.received = {1000};
        const auto accepted = parser.reading(padded.view(), reading);
        if (!accepted)
            return accepted.error().reason;
        EXPECT_TRUE(clinical::check(reading)) << line;
        return "";
    }
    std::string read_header(std::string_view line) {
        const Padded padded(line);
        auto result = parser.header(padded.view());
        if (!result)
            return result.error().reason;
        header = *result;
        return "";
    }
    // A line with one observation.
    static std::string with(std::string_view observation) {
        return R"({"id":"a","obs":[)" + std::string(observation) + "]}";
    }

    LineParser parser;
    clinical::Reading reading;
    Header header;
};

TEST_F(LineParserTest, ReadsTheLineOfTheFormatPage) {
    MITRAL_PROVES("T-DATA-05");
    ASSERT_EQ(read(R"({"id":"b1-000042","time":"2026-01-01T00:00:00.000Z","obs":[)"
                   R"({"code":"MDC_ECG_HEART_RATE","value":62.8,"unit":"/min"},)"
                   R"({"code":"MDC_PULS_OXIM_SAT_O2","absent":"not-measured","unit":"%"}]})"),
              "");
    EXPECT_EQ(reading.control_id, "b1-000042");
    EXPECT_EQ(reading.device_time, base::WallTime{1'767'225'600'000});
    EXPECT_EQ(reading.device_clock, clinical::DeviceClock::zone_stated);
    EXPECT_EQ(reading.observations,
              (std::vector<clinical::Observation>{
                  {0, 147842, "MDC_ECG_HEART_RATE", "/min", Decimal{628, -1}},
                  {1, 150456, "MDC_PULS_OXIM_SAT_O2", "%", Absent::not_measured}}));
    EXPECT_TRUE(reading.waveforms.empty());
}

TEST_F(LineParserTest, ReadsWavesBehindObservations) {
    ASSERT_EQ(read(R"({"waves":[{"samples":[-26,-18,2147483647,-2147483648,0],"scale":0.000438,)"
                   R"("rate":250,"unit":"mV","code":"MDC_ECG_ELEC_POTL_II"}],)"
                   R"("obs":[{"code":"own","value":-0.50,"unit":"{score}"}],"id":"b1-w-7"})"),
              "");
    EXPECT_EQ(reading.waveforms,
              (std::vector<clinical::Waveform>{{1,
                                                131330,
                                                "MDC_ECG_ELEC_POTL_II",
                                                "mV",
                                                Decimal{250, 0},
                                                Decimal{438, -6},
                                                {-26, -18, INT32_MAX, INT32_MIN, 0}}}));
    EXPECT_EQ(reading.observations,
              (std::vector<clinical::Observation>{{0, 0, "own", "{score}", Decimal{-50, -2}}}));
    EXPECT_FALSE(reading.device_time);
    EXPECT_EQ(reading.device_clock, clinical::DeviceClock::none);
    EXPECT_EQ(parser.unknown_codes(), 1U);
}

TEST_F(LineParserTest, NothingOfALineStaysBehindForTheNext) {
    MITRAL_PROVES("T-DATA-05");
    ASSERT_EQ(read(R"({"id":"a","time":"2026-01-01T00:00:00Z","obs":[)"
                   R"({"code":"x","value":1,"unit":"1"},{"code":"y","value":2,"unit":"1"}],)"
                   R"("waves":[{"code":"w","unit":"1","rate":1,"scale":1,"samples":[1,2,3]}]})"),
              "");
    ASSERT_EQ(
        read(R"({"id":"b","waves":[{"code":"w","unit":"1","rate":1,"scale":1,"samples":[4]}]})"),
        "");
    EXPECT_TRUE(reading.observations.empty());
    EXPECT_EQ(reading.waveforms.at(0).samples, std::vector<std::int32_t>{4});
    EXPECT_EQ(reading.waveforms.at(0).index, 0);
    EXPECT_FALSE(reading.device_time);
    EXPECT_EQ(reading.device_clock, clinical::DeviceClock::none);
    ASSERT_NE(read(R"({"id":"c","obs":[{"code":"x","value":1,"unit":"1"},{"code":"y"}]})"), "");
    ASSERT_EQ(read(with(R"({"code":"z","absent":"error","unit":"1"})")), "");
    EXPECT_EQ(reading.observations,
              (std::vector<clinical::Observation>{{0, 0, "z", "1", Absent::error}}));
    EXPECT_TRUE(reading.waveforms.empty());
}

TEST_F(LineParserTest, KeepsTheDigitsAsTheyStand) {
    MITRAL_PROVES("T-DATA-05");
    for (const char* digits : {"36.80", "36.8", "100", "0.000000000000000001", "-0.5", "0"}) {
        ASSERT_EQ(read(with(R"({"code":"x","unit":"1","value": )" + std::string(digits) + " }")),
                  "");
        EXPECT_EQ(clinical::to_string(std::get<Decimal>(reading.observations[0].value)), digits);
    }
}

TEST_F(LineParserTest, FillsInTheOnlyUnitAndNoOther) {
    MITRAL_PROVES("T-DATA-05");
    ASSERT_EQ(read(with(R"({"code":"MDC_ECG_HEART_RATE","value":60})")), "");
    EXPECT_EQ(reading.observations[0].unit, "/min");
    EXPECT_THAT(read(with(R"({"code":"MDC_PRESS_BLD_NONINV_SYS","value":16})")),
                HasSubstr("more than one"));
    EXPECT_THAT(read(with(R"({"code":"own","value":16})")), HasSubstr("unit is missing"));
}

TEST_F(LineParserTest, RefusesUnitMixUps) {
    MITRAL_PROVES("T-DATA-05");
    EXPECT_THAT(read(with(R"({"code":"MDC_ECG_HEART_RATE","value":60,"unit":"%"})")),
                HasSubstr("does not go with MDC_ECG_HEART_RATE"));
    EXPECT_THAT(read(with(R"({"code":"MDC_ECG_HEART_RATE","value":60,"unit":"bpm"})")),
                HasSubstr("write '/min'"));
    EXPECT_THAT(read(with(R"({"code":"own","value":60,"unit":"mmHg"})")),
                HasSubstr("write 'mm[Hg]'"));
    EXPECT_EQ(read(with(R"({"code":"MDC_PRESS_BLD_NONINV_SYS","value":16,"unit":"kPa"})")), "");
    EXPECT_EQ(read(with(R"({"code":"MDC_ECG_HEART_RATE","value":60,"unit":"\/min"})")), "");
}

TEST_F(LineParserTest, AValueIsANumberAndNothingElse) {
    MITRAL_PROVES("T-SW-01", "T-DATA-05");
    for (const char* wrong :
         {"\"60\"", "null", "true", "NaN", "01", "1.", ".5", "+1", "1e400", "[1]", "{}", "--1",
          "12345678901234567890.1", "1 2", "0x1F", "Infinity", ""})
        EXPECT_NE(read(with(R"({"code":"x","unit":"1","value":)" + std::string(wrong) + "}")), "")
            << wrong;
}

TEST_F(LineParserTest, GivesOneClearReason) {
    MITRAL_PROVES("T-SW-01");
    const std::pair<const char*, const char*> cases[] = {
        {"", "JSON object"},
        {"nonsense", "JSON object"},
        {"[]", "JSON object"},
        {"\"id\"", "JSON object"},
        {"{", "JSON object"},
        {R"({"id":"a"})", "neither obs nor waves"},
        {R"({"obs":[{"code":"x","value":1,"unit":"1"}]})", "id is missing"},
        {R"({"id":"a","obs":[]})", "obs is empty"},
        {R"({"id":"a","obs":{}})", "obs must be an array"},
        {R"({"id":"a","obs":[1]})", "obs[0]: must be an object"},
        {R"({"id":"a","waves":[]})", "waves is empty"},
        {R"({"id":7,"obs":[]})", "id must be a string"},
        {R"({"id":"","obs":[]})", "id must be 1 to 64"},
        {R"({"id":"Jane Doe","obs":[]})", "id must be 1 to 64"},
        {R"({"id":"a","id":"b"})", "key given twice: 'id'"},
        {R"({"id":"a","name":"Jane Doe"})", "unknown key 'name'"},
        {R"({"i\u0064":"a"})", "unknown key 'i?u0064'"},
        {R"({"id":"a","time":"2026-01-01T00:00:00","obs":[]})", "with a zone"},
        {R"({"id":"a","time":"yesterday","obs":[]})", "with a zone"},
        {R"({"id":"a","time":1767225600,"obs":[]})", "time must be a string"},
        {R"({"id":"a","obs":[{"code":"x","value":1,"unit":"1"}]} x)", "JSON"},
        {R"({"id":"a","obs":[{"code":"x","value":1,"unit":"1"}]}{})", "follows"},
        {R"({"id":"a","obs":[{"code":"x","value":1,"unit":"1"}],})", "JSON"},
        {R"({"id":"a" "obs":[]})", "JSON"},
        {R"({"id":"a","obs":[{"value":1,"unit":"1"}]})", "obs[0]: code is missing"},
        {R"({"id":"a","obs":[{"code":"x","unit":"1"}]})", "obs[0]: give either value or absent"},
        {R"({"id":"a","obs":[{"code":"x","unit":"1","value":1,"absent":"error"}]})", "either"},
        {R"({"id":"a","obs":[{"code":"x","unit":"1","absent":"gone"}]})", "absent must be one of"},
        {R"({"id":"a","obs":[{"code":"x","unit":"m g","value":1}]})", "unit must be"},
        {R"({"id":"a","obs":[{"code":"x","unit":"","value":1}]})", "unit must be"},
        {R"({"id":"a","obs":[{"code":"x y","unit":"1","value":1}]})", "obs[0]: code must be"},
        {R"({"id":"a","waves":[{"code":"x","unit":"1","rate":0,"scale":1,"samples":[1]}]})",
         "rate"},
        {R"({"id":"a","waves":[{"code":"x","unit":"1","rate":1,"scale":0,"samples":[1]}]})",
         "scale"},
        {R"({"id":"a","waves":[{"code":"x","unit":"1","rate":1,"scale":1,"samples":[]}]})",
         "samples"},
        {R"({"id":"a","waves":[{"code":"x","unit":"1","rate":1,"scale":1,"samples":[1.5]}]})",
         "whole"},
        {R"({"id":"a","waves":[{"code":"x","unit":"1","rate":1,"scale":1,"samples":[2147483648]}]})",
         "32 bits"},
    };
    for (const auto& [line, reason] : cases)
        EXPECT_THAT(read(line), HasSubstr(reason)) << line;
}

TEST_F(LineParserTest, RepliesHoldNoPersonalData) {
    MITRAL_PROVES("T-DATA-06", "T-LOG-01");
    for (const char* line :
         {R"({"id":"Doe, Jane","obs":[]})", R"({"id":"a","time":"Doe, Jane"})",
          R"({"id":"a","obs":[{"code":"Doe, Jane","value":1,"unit":"1"}]})",
          R"({"id":"a","obs":[{"code":"x","value":"Doe, Jane","unit":"1"}]})",
          R"({"id":"a","obs":[{"code":"x","value":1,"unit":"Doe, Jane"}]})",
          R"({"id":"a","obs":[{"code":"x","absent":"Doe, Jane","unit":"1"}]})", "Doe, Jane"}) {
        const auto reason = read(line);
        EXPECT_NE(reason, "");
        EXPECT_THAT(reason, Not(HasSubstr("Doe"))) << line;
    }
    // A key is quoted, but cut and with its strange characters masked: no line break, no escape.
    const auto reason = read("{\"\\n\x1b[2Jok 7\\u000aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\":1}");
    EXPECT_EQ(reason.find_first_of("\n\x1b"), std::string::npos);
    EXPECT_LT(reason.size(), 64U);
}

TEST_F(LineParserTest, RefusesWhatIsNotUtf8) {
    MITRAL_PROVES("T-SW-01");
    EXPECT_NE(read("{\"id\":\"a\xFF\"}"), "");
    EXPECT_NE(read(std::string_view("{\"id\":\"a\0\"}", 10)), "");
    EXPECT_NE(read("{\"id\":\"a\n\"}"), "");
}

TEST_F(LineParserTest, BoundsHold) {
    MITRAL_PROVES("T-SW-01", "T-DOS-01");
    const auto list = [](std::string_view item, int count) {
        std::string text(item);
        for (int i = 1; i < count; ++i)
            text.append(",").append(item);
        return text;
    };
    const std::string_view observation = R"({"code":"x","value":1,"unit":"1"})";
    EXPECT_EQ(read(with(list(observation, 512))), "");
    EXPECT_THAT(read(with(list(observation, 513))), HasSubstr("obs[512]"));
    const auto waves = [&](int count, int samples) {
        return R"({"id":"a","waves":[)" +
               list(R"({"code":"x","unit":"1","rate":1,"scale":1,"samples":[)" +
                        list("1", samples) + "]}",
                    count) +
               "]}";
    };
    EXPECT_EQ(read(waves(16, 3)), "");
    EXPECT_THAT(read(waves(17, 3)), HasSubstr("waves[16]"));
    EXPECT_EQ(read(waves(1, 32768)), "");
    EXPECT_THAT(read(waves(1, 32769)), HasSubstr("more than 32768"));
    EXPECT_NE(read(std::string(60000, '[')), "");
    EXPECT_NE(read(with(std::string(20000, '['))), "");
}

TEST_F(LineParserTest, ReadsHeaders) {
    ASSERT_EQ(read_header(R"({"schema":"mitral.lines/1","source":"bed-1"})"), "");
    EXPECT_EQ(header.source, "bed-1");
    EXPECT_EQ(header.acknowledge, Acknowledge::line);
    ASSERT_EQ(read_header(R"({"ack":"batch","source":"b","schema":"mitral.lines/1"})"), "");
    EXPECT_EQ(header.acknowledge, Acknowledge::batch);
    EXPECT_THAT(read_header(R"({"schema":"mitral.lines/2","source":"b"})"), HasSubstr("schema"));
    EXPECT_THAT(read_header(R"({"schema":"mitral.lines/1"})"), HasSubstr("source"));
    EXPECT_THAT(read_header(R"({"source":"b"})"), HasSubstr("schema"));
    EXPECT_THAT(read_header(R"({"schema":"mitral.lines/1","source":"b","ack":"never"})"),
                HasSubstr("ack"));
    EXPECT_THAT(read_header(R"({"schema":"mitral.lines/1","source":"b","x":1})"), HasSubstr("'x'"));
    EXPECT_THAT(read_header(R"({"schema":"mitral.lines/1","source":"Jane Doe"})"),
                HasSubstr("source must be"));
    EXPECT_NE(read_header(R"({"schema":1,"source":"b"})"), "");
}

TEST_F(LineParserTest, EveryTruncationIsRefused) {
    MITRAL_PROVES("T-SW-01");
    const std::string line =
        R"({"id":"a","time":"2026-01-01T00:00:00Z","obs":[{"code":"x","value":1,"unit":"1"}],)"
        R"("waves":[{"code":"w","unit":"1","rate":1.5,"scale":1e-3,"samples":[1,-2]}]})";
    ASSERT_EQ(read(line), "");
    for (std::size_t size = 0; size < line.size(); ++size)
        EXPECT_NE(read(line.substr(0, size)), "") << size;
}

TEST_F(LineParserTest, DamagedLinesAreRefusedOrSound) {
    MITRAL_PROVES("T-SW-01");
    const std::string line =
        R"({"id":"a","time":"2026-01-01T00:00:00Z","obs":[{"code":"x","value":1.25,"unit":"1"}],)"
        R"("waves":[{"code":"w","unit":"1","rate":1.5,"scale":1e-3,"samples":[1,-2]}]})";
    std::mt19937 random(7);
    constexpr std::string_view letters = "{}[]\",:0123456789.eE+-\\ntfu \x01\x80";
    for (int i = 0; i < 100'000; ++i) {
        auto damaged = line;
        for (auto edits = 1 + random() % 3; edits > 0; --edits)
            damaged[random() % damaged.size()] = letters[random() % letters.size()];
        (void)read(damaged);  // expects check() of everything that is accepted
    }
}

}  // namespace
}  // namespace mitral::intake
