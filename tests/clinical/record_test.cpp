#include "clinical/record.hpp"

#include <gtest/gtest.h>

#include <random>

#include "clinical/errors.hpp"
#include "clinical/samples.hpp"
#include "support/proves.hpp"

namespace mitral::clinical {
namespace {

using test::random_reading;
using test::vitals_reading;
using test::wave_reading;

base::Bytes encode(const Reading& reading) {
    base::Bytes bytes;
    append_record(reading, bytes);
    return bytes;
}

Reading one_observation() {
    auto reading = vitals_reading("m1", 1'767'225'600'000);
    reading.device_time = base::WallTime{1'767'225'599'000};
    reading.observations.resize(1);
    return reading;
}

TEST(Record, CarriesEveryReading) {
    MITRAL_PROVES("T-DATA-02");
    std::mt19937_64 random(4);
    for (int i = 0; i < 3000; ++i) {
        const auto reading = random_reading(random);
        ASSERT_TRUE(check(reading));
        const auto decoded = decode_record(encode(reading));
        ASSERT_TRUE(decoded) << decoded.error().message();
        ASSERT_EQ(*decoded, reading);
    }
}

// A spool outlives an update: these bytes must always decode. A device time had its zone.
TEST(Record, ReadsTheLayoutOfVersionOne) {
    MITRAL_PROVES("T-DATA-02");
    auto reading = one_observation();
    reading.device_clock = DeviceClock::zone_stated;
    const base::Bytes first{
        1,    1,    0,                                        // version, flags, clock
        0x00, 0x00, 0x01, 0x9B, 0x76, 0xDA, 0xA8, 0x00,       // received
        0x00, 0x00, 0x01, 0x9B, 0x76, 0xDA, 0xA4, 0x18,       // device time
        5,    'b',  'e',  'd',  '-',  '1',  2,    'm',  '1',  // source, control id
        0,    1,    0,    0,    0x00, 0x02, 0x41, 0x82,       // one, index 0, MDC
        18,   'M',  'D',  'C',  '_',  'E',  'C',  'G',  '_',  'H',  'E', 'A',  //
        'R',  'T',  '_',  'R',  'A',  'T',  'E',                               //
        4,    '/',  'm',  'i',  'n',                                           //
        0,    0xFF, 0,    0,    0,    0,    0,    0,    0x02, 0x74,  // decimal 628 × 10^−1
        0};
    EXPECT_EQ(decode_record(first).value(), reading);
    for (const int flag : {2, 3, 4, 5, 8, 128}) {
        auto unknown = first;
        unknown[1] = static_cast<std::uint8_t>(flag);
        EXPECT_FALSE(decode_record(unknown)) << flag;
    }
    auto without_time = first;
    without_time[1] = 0;
    without_time.erase(without_time.begin() + 11, without_time.begin() + 19);
    reading.device_time.reset();
    reading.device_clock = DeviceClock::none;
    EXPECT_EQ(decode_record(without_time).value(), reading);
}

TEST(Record, KeepsTheLayoutOfVersionTwo) {
    MITRAL_PROVES("T-DATA-02");
    auto reading = one_observation();
    reading.device_clock = DeviceClock::disagrees;
    reading.subject = "abcdefghijklmnopqrstu_";
    const base::Bytes expected{
        2,    7,    0,                                        // version, flags, clock
        0x00, 0x00, 0x01, 0x9B, 0x76, 0xDA, 0xA8, 0x00,       // received
        0x00, 0x00, 0x01, 0x9B, 0x76, 0xDA, 0xA4, 0x18,       // device time
        5,    'b',  'e',  'd',  '-',  '1',  2,    'm',  '1',  // source, control id
        22,   'a',  'b',  'c',  'd',  'e',  'f',  'g',  'h',  'i',  'j', 'k',  // subject
        'l',  'm',  'n',  'o',  'p',  'q',  'r',  's',  't',  'u',  '_',       //
        0,    1,    0,    0,    0x00, 0x02, 0x41, 0x82,                        // one, index 0, MDC
        18,   'M',  'D',  'C',  '_',  'E',  'C',  'G',  '_',  'H',  'E', 'A',  //
        'R',  'T',  '_',  'R',  'A',  'T',  'E',                               //
        4,    '/',  'm',  'i',  'n',                                           //
        0,    0xFF, 0,    0,    0,    0,    0,    0,    0x02, 0x74,  // decimal 628 × 10^−1
        0};
    EXPECT_EQ(encode(reading), expected);
    EXPECT_EQ(decode_record(expected).value(), reading);
    auto unknown_flag = expected;
    unknown_flag[1] |= 8U;
    EXPECT_FALSE(decode_record(unknown_flag));
    auto empty_subject = expected;
    empty_subject[28] = 0;
    empty_subject.erase(empty_subject.begin() + 29, empty_subject.begin() + 51);
    EXPECT_FALSE(decode_record(empty_subject));
    empty_subject[1] = 3;  // the control: without the flag there is one text less
    empty_subject.erase(empty_subject.begin() + 28);
    reading.subject.clear();
    EXPECT_EQ(decode_record(empty_subject).value(), reading);
}

TEST(Record, RefusesEveryTruncationAndTail) {
    MITRAL_PROVES("T-SW-04");
    for (const auto& reading : {vitals_reading("v", 1), wave_reading("w", 1)}) {
        auto bytes = encode(reading);
        for (std::size_t size = 0; size < bytes.size(); ++size)
            ASSERT_FALSE(decode_record(base::ByteView(bytes).first(size))) << size;
        bytes.push_back(0);
        EXPECT_FALSE(decode_record(bytes));
    }
}

TEST(Record, SurvivesEveryDamagedByte) {
    MITRAL_PROVES("T-SW-04");
    std::mt19937_64 random(5);
    for (int round = 0; round < 300; ++round) {
        const auto good = encode(random_reading(random));
        for (int i = 0; i < 50; ++i) {
            auto bytes = good;
            bytes[random() % bytes.size()] = static_cast<std::uint8_t>(random());
            // Either refused or a reading that keeps every bound.
            if (const auto decoded = decode_record(bytes)) {
                ASSERT_TRUE(check(*decoded));
                if (bytes[0] == 1)  // says the same in version 2
                    bytes[0] = 2;
                ASSERT_EQ(encode(*decoded), bytes);
            }
        }
    }
}

TEST(Record, AReadingBeyondABoundIsRefused) {
    MITRAL_PROVES("T-SW-04", "T-DATA-06", "T-DATA-05");
    const auto refused = [](auto&& change) {
        auto reading = vitals_reading("m1", 1000);
        auto wave = wave_reading("m1", 1000).waveforms.front();
        wave.index = 7;
        reading.waveforms.push_back(wave);
        EXPECT_TRUE(check(reading));  // the control: without the change it is fine
        change(reading);
        const auto decoded = decode_record(encode(reading));
        return !check(reading) && !decoded;
    };
    EXPECT_TRUE(refused([](Reading& r) { r.source = "Jane Doe"; }));
    EXPECT_TRUE(refused([](Reading& r) { r.source.clear(); }));
    EXPECT_TRUE(refused([](Reading& r) { r.control_id = std::string(65, 'x'); }));
    EXPECT_TRUE(refused([](Reading& r) { r.observations[0].code = "a\"b"; }));
    EXPECT_TRUE(refused([](Reading& r) { r.observations[0].unit = "mm Hg"; }));
    EXPECT_TRUE(refused([](Reading& r) { r.observations[1].index = 0; }));
    EXPECT_TRUE(refused([](Reading& r) { r.observations[0].value = Decimal{1, 19}; }));
    EXPECT_TRUE(refused([](Reading& r) { r.observations[0].value = static_cast<Absent>(7); }));
    EXPECT_TRUE(refused([](Reading& r) { r.received.ms = latest_time.ms + 1; }));
    EXPECT_TRUE(refused([](Reading& r) {
        r.device_time = base::WallTime{INT64_MIN};
        r.device_clock = DeviceClock::zone_stated;
    }));
    for (const char* subject : {"Jane Doe", "abcdefghijklmnopqrstu", "abcdefghijklmnopqrstuvw",
                                "abcdefghijklmnopqrstu+", "Doe^Jane^^19700101^^^^"})
        EXPECT_TRUE(refused([&](Reading& r) { r.subject = subject; })) << subject;
    EXPECT_TRUE(refused([](Reading& r) { r.clock = static_cast<base::ClockState>(3); }));
    EXPECT_TRUE(refused([](Reading& r) { r.waveforms[0].samples.clear(); }));
    EXPECT_TRUE(refused([](Reading& r) { r.waveforms[0].samples.resize(max_samples + 1); }));
    EXPECT_TRUE(refused([](Reading& r) { r.waveforms[0].rate = {0, 0}; }));
    EXPECT_TRUE(refused([](Reading& r) { r.waveforms[0].rate = {-250, 0}; }));
    EXPECT_TRUE(refused([](Reading& r) { r.waveforms[0].scale = {0, 0}; }));
    EXPECT_TRUE(refused([](Reading& r) { r.observations.clear(), r.waveforms.clear(); }));
    EXPECT_TRUE(refused([](Reading& r) { r.waveforms.resize(max_waveforms + 1, r.waveforms[0]); }));
}

TEST(Record, ATimeSaysHowSureItIsAndNothingElseDoes) {
    MITRAL_PROVES("T-DATA-05");
    auto reading = vitals_reading("m1", 1000);
    for (int clock = 0; clock <= 4; ++clock) {
        reading.device_clock = static_cast<DeviceClock>(clock);
        reading.device_time.reset();
        EXPECT_EQ(check(reading).has_value(), clock == 0) << clock;
        reading.device_time = base::WallTime{1};
        EXPECT_EQ(check(reading).has_value(), clock >= 1 && clock <= 3) << clock;
    }
}

TEST(Record, ALaterVersionIsNamed) {
    auto bytes = encode(vitals_reading("m1", 1));
    bytes[0] = 3;
    const auto decoded = decode_record(bytes);
    ASSERT_FALSE(decoded);
    EXPECT_EQ(decoded.error().code, ClinicalError::unknown_version);
}

TEST(Record, CountsThatLieReserveNothing) {
    MITRAL_PROVES("T-SW-04", "T-DOS-01");
    auto reading = vitals_reading("m", 1);
    auto bytes = encode(reading);
    const std::size_t count_at = 3 + 8 + 6 + 2;
    bytes[count_at] = 0xFF;
    bytes[count_at + 1] = 0xFF;
    EXPECT_FALSE(decode_record(bytes));
    EXPECT_FALSE(decode_record(base::Bytes(max_record_size + 1, 1)));
}

}  // namespace
}  // namespace mitral::clinical
