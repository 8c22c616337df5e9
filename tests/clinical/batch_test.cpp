#include "clinical/batch.hpp"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>
#include <string>
#include <tuple>

#include "base/encoding.hpp"
#include "clinical/errors.hpp"
#include "clinical/record.hpp"
#include "clinical/samples.hpp"
#include "clinical/wave_reader.hpp"
#include "support/proves.hpp"

namespace mitral::clinical {
namespace {

using test::random_reading;
using test::vitals_reading;
using test::wave_reading;

constexpr const char* subject = "abcdefghijklmnopqrstu_";

std::string text_of(const CloudMessage& message) {
    return std::string(base::as_text(message.body));
}

TEST(Batch, VitalsBecomeOneTable) {
    MITRAL_PROVES("T-DATA-05");
    auto first = vitals_reading("b1-000042", 1'767'225'600'000);
    first.device_time = base::WallTime{1'767'225'599'990};
    first.device_clock = DeviceClock::zone_stated;
    auto second = vitals_reading("b1-000043", 1'767'225'600'012);
    second.clock = base::ClockState::free_running;
    second.observations.erase(second.observations.begin());
    second.observations.push_back({2, 0, "X:own", "{score}", Decimal{-250, -2}});

    const auto messages = encode_batch({{7, first}, {8, second}});
    ASSERT_TRUE(messages);
    ASSERT_EQ(messages->size(), 1U);
    const auto& message = messages->front();
    EXPECT_EQ(message.schema, "mitral.vitals/1");
    EXPECT_EQ(message.content_type, "application/json");
    EXPECT_EQ(message.content_encoding, "utf-8");
    EXPECT_EQ(message.source, "bed-1");
    EXPECT_EQ(message.first_sequence, 7U);
    EXPECT_EQ(
        text_of(message),
        R"({"schema":"mitral.vitals/1","source":"bed-1","base_time":1767225600000,"columns":[)"
        R"({"index":0,"code":"MDC_ECG_HEART_RATE","mdc":147842,"loinc":"8867-4","unit":"/min"},)"
        R"({"index":1,"code":"MDC_PULS_OXIM_SAT_O2","mdc":150456,"loinc":"59408-5","unit":"%"},)"
        R"({"index":2,"code":"X:own","unit":"{score}"}],"rows":[)"
        R"(["b1-000042",-10,0,"synchronised","zone-stated",62.8,"not-measured",null],)"
        R"(["b1-000043",null,12,"free-running",null,null,"not-measured",-2.50]]})");
}

TEST(Batch, WavesBecomeCbor) {
    auto reading = wave_reading("w", 1000);
    reading.waveforms[0].samples = {-26, -18};
    const auto messages = encode_batch({{3, reading}});
    ASSERT_TRUE(messages);
    ASSERT_EQ(messages->size(), 1U);
    EXPECT_EQ(messages->front().schema, "mitral.wave/1");
    EXPECT_EQ(messages->front().content_type, "application/cbor");
    EXPECT_EQ(messages->front().content_encoding, "");
    const auto& body = messages->front().body;
    const std::string_view text = base::as_text(body);
    EXPECT_EQ(body[0], 0xA4);
    EXPECT_TRUE(text.ends_with(std::string_view("edelta\x42\x33\x10"))) << text;
    EXPECT_NE(text.find(std::string_view("dtime\xF6\x6C"
                                         "device_clock\xF6")),
              std::string_view::npos);
}

// Of each source and subject, in order.
using Waves = std::map<std::pair<std::string, std::string>, std::vector<test::WaveBlock>>;

// The wave messages of these entries as another program reads them.
Waves waves_in(const std::vector<CloudMessage>& messages) {
    Waves blocks;
    for (const auto& message : messages) {
        if (message.schema != "mitral.wave/1")
            continue;
        const auto wave = test::read_wave_message(message.body);
        EXPECT_TRUE(wave) << base::to_hex(message.body);
        if (!wave)
            continue;
        EXPECT_EQ(wave->source, message.source);
        auto& all = blocks[{wave->source, wave->subject}];
        all.insert(all.end(), wave->blocks.begin(), wave->blocks.end());
    }
    return blocks;
}

TEST(Batch, AnotherReaderFindsEverySample) {
    MITRAL_PROVES("T-DATA-02", "T-DATA-05");
    std::mt19937_64 random(12);
    std::size_t compared = 0;
    for (int round = 0; round < 200; ++round) {
        std::vector<BatchEntry> entries;
        Waves expected;
        for (std::uint64_t sequence = 1; sequence <= 20; ++sequence) {
            auto reading = random_reading(random);
            for (auto& block : test::blocks_of(reading))
                expected[{reading.source, reading.subject}].push_back(std::move(block));
            entries.push_back({sequence, std::move(reading)});
        }
        const auto messages = encode_batch(entries);
        ASSERT_TRUE(messages);
        ASSERT_TRUE(waves_in(*messages) == expected) << "round " << round;
        compared += expected.size();
    }
    EXPECT_GT(compared, 200U);
}

// One meaning, one encoding: a reader that passed a damaged body over would prove nothing.
TEST(Batch, TheOtherReaderIsStrict) {
    MITRAL_PROVES("T-DATA-02");
    auto reading = wave_reading("w", 1000);
    reading.device_time = base::WallTime{-70'000};
    reading.device_clock = DeviceClock::disagrees;
    reading.subject = subject;
    reading.waveforms[0].samples = {-26, -18, INT32_MAX, INT32_MIN, 0};
    const auto messages = encode_batch({{3, reading}});
    ASSERT_TRUE(messages);
    const auto& good = messages->front().body;
    const auto read = test::read_wave_message(good);
    ASSERT_TRUE(read);
    for (std::size_t size = 0; size < good.size(); ++size)
        EXPECT_FALSE(test::read_wave_message(base::ByteView(good).first(size))) << size;
    for (std::size_t i = 0; i < good.size(); ++i) {
        for (int bit = 0; bit < 8; ++bit) {
            auto damaged = good;
            damaged[i] = static_cast<std::uint8_t>(damaged[i] ^ 1U << bit);
            const auto other = test::read_wave_message(damaged);
            EXPECT_FALSE(other && *other == *read) << "byte " << i << " bit " << bit;
        }
    }
    auto longer = good;
    longer.push_back(0);
    EXPECT_FALSE(test::read_wave_message(longer));
    auto long_head = good;  // a map of five pairs, said in two bytes
    long_head[0] = 5;
    long_head.insert(long_head.begin(), 0xB8);
    EXPECT_FALSE(test::read_wave_message(long_head));
    auto indefinite = good;
    indefinite[0] = 0xBF;
    indefinite.push_back(0xFF);
    EXPECT_FALSE(test::read_wave_message(indefinite));
}

TEST(Batch, EachSourceAndSchemaHasItsOwnMessage) {
    auto both = vitals_reading("both", 5);
    both.waveforms = wave_reading("x", 5).waveforms;
    both.waveforms[0].index = 2;
    auto other = vitals_reading("other", 6);
    other.source = "bed-2";
    const auto messages = encode_batch({{1, both}, {2, other}, {3, vitals_reading("m3", 7)}});
    ASSERT_TRUE(messages);
    ASSERT_EQ(messages->size(), 3U);
    std::set<std::tuple<std::string, std::string, std::uint64_t>> seen;
    for (const auto& message : *messages)
        seen.emplace(message.schema, message.source, message.first_sequence);
    EXPECT_EQ(seen, (std::set<std::tuple<std::string, std::string, std::uint64_t>>{
                        {"mitral.vitals/1", "bed-1", 1},
                        {"mitral.wave/1", "bed-1", 1},
                        {"mitral.vitals/1", "bed-2", 2}}));
}

// Two patients in one bed, one after the other: a message speaks of one of them, or of none.
TEST(Batch, EachSubjectHasItsOwnMessage) {
    MITRAL_PROVES("T-DATA-05");
    const auto of = [](const char* id, const char* whose) {
        auto reading = vitals_reading(id, 5);
        reading.waveforms = wave_reading("x", 5).waveforms;
        reading.subject = whose;
        return reading;
    };
    const char* other = "another-patient-------";
    const auto messages = encode_batch(
        {{1, of("a", subject)}, {2, of("b", "")}, {3, of("c", other)}, {4, of("d", subject)}});
    ASSERT_TRUE(messages);
    ASSERT_EQ(messages->size(), 6U);
    std::map<std::string, std::uint64_t> firsts;
    for (const auto& message : *messages) {
        EXPECT_EQ(message.source, "bed-1");
        if (message.schema == "mitral.wave/1") {
            const auto wave = test::read_wave_message(message.body);
            ASSERT_TRUE(wave);
            EXPECT_EQ(wave->blocks.size(), wave->subject == subject ? 2U : 1U);
            EXPECT_EQ(firsts.at(wave->subject), message.first_sequence);
            continue;
        }
        const auto text = text_of(message);
        const std::string whose = text.find(subject) != text.npos ? subject
                                  : text.find(other) != text.npos ? other
                                                                  : "";
        EXPECT_EQ(
            text.find(R"("source":"bed-1","subject":")" + whose + R"(","base_time":)") != text.npos,
            !whose.empty());
        EXPECT_EQ(text.find("subject") == text.npos, whose.empty());
        EXPECT_EQ(text.find(R"(["d",)") != text.npos, whose == subject);
        firsts[whose] = message.first_sequence;
    }
    EXPECT_EQ(firsts, (std::map<std::string, std::uint64_t>{{subject, 1}, {"", 2}, {other, 3}}));
}

TEST(Batch, IsDeterministic) {
    MITRAL_PROVES("T-DATA-04");
    std::mt19937_64 random(6);
    std::vector<BatchEntry> entries;
    for (std::uint64_t sequence = 1; sequence <= 200; ++sequence)
        entries.push_back({sequence, random_reading(random)});
    const auto once = encode_batch(entries);
    // A restarted uplink has the readings from their records.
    for (auto& entry : entries) {
        base::Bytes record;
        append_record(entry.reading, record);
        entry.reading = decode_record(record).value();
    }
    const auto again = encode_batch(entries);
    ASSERT_TRUE(once && again);
    ASSERT_EQ(once->size(), again->size());
    for (std::size_t i = 0; i < once->size(); ++i)
        EXPECT_EQ((*once)[i].body, (*again)[i].body);
}

// The largest reading that a record can hold.
Reading widest_vitals(std::size_t number) {
    auto reading = vitals_reading("x", 1'767'225'600'000);
    reading.control_id = std::string(58, 'i') + std::to_string(100000 + number);
    reading.source = std::string(64, 's');
    reading.subject = subject;
    reading.device_time = latest_time;
    reading.device_clock = DeviceClock::zone_assumed;
    reading.observations.clear();
    for (std::uint16_t i = 0; i < max_observations; ++i)
        reading.observations.push_back({static_cast<std::uint16_t>(65535 - max_observations + i),
                                        4'294'967'295U, std::string(64, 'c'), std::string(32, 'u'),
                                        Decimal{-999'999'999'999'999'999, -18}});
    return reading;
}

TEST(Batch, NoBodyIsLargerThanItsBound) {
    MITRAL_PROVES("T-DATA-01");
    std::vector<BatchEntry> entries;
    for (std::uint64_t sequence = 1; sequence <= 40; ++sequence)
        entries.push_back({sequence, widest_vitals(sequence)});
    const auto messages = encode_batch(entries);
    ASSERT_TRUE(messages);
    EXPECT_GT(messages->size(), 1U);
    std::set<std::uint64_t> firsts;
    std::size_t rows = 0;
    for (const auto& message : *messages) {
        EXPECT_LE(message.body.size(), max_body_size);
        EXPECT_TRUE(
            firsts.insert(message.first_sequence).second);  // with it the message id is unique
        const auto text = text_of(message);
        for (auto at = text.find(std::string(58, 'i')); at != std::string::npos;
             at = text.find(std::string(58, 'i'), at + 1))
            ++rows;
    }
    EXPECT_EQ(rows, entries.size());  // nothing fell between two messages
}

TEST(Batch, ColumnsThatDifferInEachRowStayBounded) {
    MITRAL_PROVES("T-DOS-01");
    std::vector<BatchEntry> entries;
    for (std::uint64_t sequence = 1; sequence <= 2000; ++sequence) {
        auto reading = vitals_reading("m" + std::to_string(sequence), 1);
        reading.observations[0].code = "own" + std::to_string(sequence);
        entries.push_back({sequence, reading});
    }
    const auto messages = encode_batch(entries);
    ASSERT_TRUE(messages);
    EXPECT_GT(messages->size(), 1U);
    for (const auto& message : *messages)
        EXPECT_LE(message.body.size(), max_body_size);
}

TEST(Batch, TheLargestWaveRecordFitsOneMessage) {
    MITRAL_PROVES("T-DATA-01");
    auto reading = wave_reading(std::string(64, 'i'), 1'767'225'600'000);
    reading.source = std::string(64, 's');
    reading.subject = subject;
    reading.device_time = latest_time;
    reading.device_clock = DeviceClock::zone_assumed;
    const auto prototype = [] {
        Waveform wave = wave_reading("x", 1).waveforms.front();
        wave.code = std::string(64, 'c');
        wave.unit = std::string(32, 'u');
        wave.mdc = 4'294'967'295U;
        wave.rate = {999'999'999'999'999'999, -18};
        wave.scale = {-999'999'999'999'999'999, -18};
        wave.samples.clear();
        return wave;
    }();
    reading.waveforms.assign(max_waveforms, prototype);
    base::Bytes record;
    for (std::uint16_t i = 0; i < max_waveforms; ++i)
        reading.waveforms[i].index = i;
    // Fill up to the record's bound with samples of five bytes each.
    for (std::size_t i = 0; record.size() + 90 < max_record_size; ++i) {
        auto& samples = reading.waveforms[i % max_waveforms].samples;
        for (int k = 0; k < 8; ++k) {
            samples.push_back(INT32_MIN);
            samples.push_back(INT32_MAX);
        }
        if (i % 64 == 0 || record.size() + 8192 > max_record_size) {
            record.clear();
            append_record(reading, record);
        }
    }
    ASSERT_LE(record.size(), max_record_size);
    const auto decoded = decode_record(record);
    ASSERT_TRUE(decoded) << decoded.error().message();
    const auto messages = encode_batch({{1, *decoded}, {2, *decoded}});
    ASSERT_TRUE(messages);
    ASSERT_EQ(messages->size(), 2U);
    for (const auto& message : *messages) {
        EXPECT_LE(message.body.size(), max_body_size);
        const auto read = test::read_wave_message(message.body);
        EXPECT_TRUE(read && read->blocks == test::blocks_of(*decoded));
    }
}

TEST(Batch, RefusesWhatNoRecordHolds) {
    MITRAL_PROVES("T-DATA-06");
    EXPECT_EQ(encode_batch({}).error().code, ClinicalError::empty_batch);
    auto reading = vitals_reading("m", 1);
    reading.source = "Jane\",\"name\":\"Doe";
    EXPECT_FALSE(encode_batch({{1, reading}}));
}

}  // namespace
}  // namespace mitral::clinical
