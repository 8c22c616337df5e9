// Random reports, seeded: nothing makes the interpreter break a bound, and no text of a message is
// in a reading.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <random>

#include "clinical/record.hpp"
#include "intake/hl7/reports.hpp"
#include "support/proves.hpp"
#include "support/result_matchers.hpp"

namespace mitral::intake::hl7 {
namespace {

constexpr std::uint32_t seed = 20261122;
constexpr int rounds = 3000;

class Dice {
  public:
    std::size_t below(std::size_t bound) {
        return std::uniform_int_distribution<std::size_t>(0, bound - 1)(engine_);
    }
    bool one_in(std::size_t chance) { return below(chance) == 0; }
    template <std::size_t Count>
    std::string any(const std::array<const char*, Count>& from) {
        return from[below(Count)];
    }

  private:
    std::mt19937 engine_{seed};
};

// Texts that stand in no table; each is four characters or more, and could be a name.
constexpr std::array<const char*, 8> words{"Smith",        "Doe^Jane",   "O'Neill",
                                           "Garcia-Lopez", "1971-08-03", "M\xC3\xBCller",
                                           "ROOM_4711",    "Jane.Doe"};
constexpr std::array<const char*, 9> identifiers{"147842^MDC_ECG_HEART_RATE^MDC",
                                                 "0^MDC_TEMP^MDC",
                                                 "150456^%^MDC",
                                                 "150456^MDC_TEMP^MDC",
                                                 "%^%^99X",
                                                 "59408-5^%^LN",
                                                 "131330^MDC_ECG_ELEC_POTL_II^MDC",
                                                 "0^MDC_ATTR_SAMP_RATE^MDC",
                                                 "2327^MDC_ATTR_NU_MSMT_RES^MDC"};
constexpr std::array<const char*, 12> values{"72",   "-1",  "36.80", "1^2^3", "1~2^^32767", "",
                                             "\"\"", ">^9", "%",     "0",     "8388607",    "1e18"};
constexpr std::array<const char*, 9> units{
    "264864^MDC_DIM_BEAT_PER_MIN^MDC", "%%", "Cel", "mV", "", "264608", "^bpm^%", "%", "mm[Hg]"};
constexpr std::array<const char*, 9> types{"NM", "SN", "ST", "NA", "MA", "CWE", "", "CD", "TS"};
constexpr std::array<const char*, 6> times{
    "20260101100000+0100", "20260101100001", "20260329023000", "%", "", "00010101000000+1400"};

class Reports {
  public:
    // The texts that were put into it, in `texts`.
    std::string make(std::vector<std::string>& texts) {
        texts_ = &texts;
        std::string out = "MSH|^~\\&|" + word() + "|" + word() + "|||" + fill(times) +
                          "||ORU^R01|" + word() + "|P|2.6\rPID|||" + word() + "^^^" + word() +
                          "||" + word() + "\rPV1||I|" + word() + "\r";
        for (auto rows = dice_.below(12) + 1; rows > 0; --rows)
            out.append(row());
        return out;
    }

  private:
    std::string word() {
        const auto text = dice_.any(words);
        texts_->push_back(text);
        return text;
    }
    // "%" is where a word goes, "%%" is a percent sign.
    template <std::size_t Count>
    std::string fill(const std::array<const char*, Count>& from) {
        std::string out;
        const auto pattern = dice_.any(from);
        for (std::size_t i = 0; i < pattern.size(); ++i) {
            if (pattern[i] != '%')
                out.push_back(pattern[i]);
            else if (pattern.substr(i, 2) == "%%")
                out.push_back(pattern[i++]);
            else
                out.append(word());
        }
        return out;
    }
    std::string row() {
        if (dice_.one_in(6))
            return "OBR|1||" + word() + "||||" + fill(times) + "\r";
        if (dice_.one_in(12))
            return "NTE|1||" + word() + "\rZMO|" + word() + "\r";
        if (dice_.one_in(12))
            return wave();
        return "OBX|1|" + dice_.any(types) + "|" + fill(identifiers) + "|1.1." +
               std::to_string(dice_.below(3)) + "|" + fill(values) + "|" + fill(units) + "||" +
               (dice_.one_in(4) ? word() : "") + "|||R|||" + fill(times) + "\r";
    }

    // One that is understood, unless a word is in the way.
    std::string wave() {
        return "OBX|1|NA|131330^MDC_ECG_ELEC_POTL_II^MDC|9." + word() + "|1^2^^3" +
               (dice_.one_in(4) ? "^" + word() : "") +
               "|mV\rOBX|2|NM|0^MDC_ATTR_SAMP_RATE^MDC|9|250|264608\r"
               "OBX|1|NA|131330^" +
               (dice_.one_in(2) ? word() : "") +
               "^MDC|9|1^2^32767^3|\rOBX|3|NM|0^MDC_ATTR_NU_MSMT_RES^MDC|9|0.00488|mV\r";
    }

    Dice dice_;
    std::vector<std::string>* texts_ = nullptr;
};

std::vector<std::string_view> strings_of(const clinical::Reading& reading) {
    std::vector<std::string_view> out{reading.source, reading.subject, reading.control_id};
    const auto add = [&](const auto& item) {
        out.push_back(item.code);
        out.push_back(item.unit);
    };
    std::ranges::for_each(reading.observations, add);
    std::ranges::for_each(reading.waveforms, add);
    return out;
}

// Four characters in a row of a text stand in a string of the reading.
bool leaks(const clinical::Reading& reading, const std::vector<std::string>& texts) {
    constexpr std::size_t length = 4;
    for (const auto& held : strings_of(reading)) {
        for (const std::string_view text : texts) {
            for (std::size_t at = 0; at + length <= text.size(); ++at) {
                if (held.find(text.substr(at, length)) != std::string_view::npos)
                    return true;
            }
        }
    }
    return false;
}

TEST(RandomReportsTest, ReadingsKeepEveryBoundAndNoText) {
    MITRAL_PROVES("T-DATA-06");
    Reports reports;
    const auto zone = *Zone::find("Europe/Paris");
    std::size_t observations = 0;
    std::size_t waves = 0;
    NotUnderstood counts;
    for (int round = 0; round < rounds; ++round) {
        std::vector<std::string> texts;
        const auto text = reports.make(texts);
        Reader reader;
        reader.sender.zone = round % 2 == 0 ? &zone : nullptr;
        const auto readings = reader.try_read(text);
        if (!readings)
            continue;  // a word may break a segment's name
        counts += reader.counts;
        for (const auto& reading : *readings) {
            ASSERT_TRUE(test::ok(clinical::check(reading))) << text;
            ASSERT_FALSE(leaks(reading, texts)) << text;
            base::Bytes record;
            clinical::append_record(reading, record);
            ASSERT_EQ(*clinical::decode_record(record), reading);
            observations += reading.observations.size();
            waves += reading.waveforms.size();
        }
    }
    // The dice were not so bad that nothing was tried.
    EXPECT_GT(observations, 300U);
    EXPECT_GT(waves, 20U);
    for (const auto& [name, counter] : not_understood_counters()) {
        if (name != "beds" && name != "subjects" && name != "character-sets") {
            EXPECT_GT(counts.*counter, 0U) << name;
        }
    }
}

TEST(RandomReportsTest, ControlATextInAReadingIsSeen) {
    MITRAL_PROVES("T-DATA-06");
    clinical::Reading reading;
    reading.source = "icu-1";
    reading.observations.push_back({0, 0, "MDC_TEMP", "Cel", clinical::Decimal{36, 0}});
    EXPECT_FALSE(leaks(reading, {"Garcia-Lopez"}));
    reading.observations[0].code = "x.Lopez";
    EXPECT_TRUE(leaks(reading, {"Garcia-Lopez"}));
    reading.observations[0].code = "MDC_TEMP";
    reading.control_id = "4711-1";
    EXPECT_TRUE(leaks(reading, {"ROOM_4711"}));
}

}  // namespace
}  // namespace mitral::intake::hl7
