// Messages that are made to cost much: long texts that many rows refer to, and many rows that refer
// to many others. The deadline is far above what they cost, and far below what reading a text again
// for each row does.
#include <gmock/gmock.h>

#include <ctime>

#include "intake/hl7/reports.hpp"
#include "support/proves.hpp"

namespace mitral::intake::hl7 {
namespace {

constexpr std::size_t most_rows = Message::max_segments - 1;
constexpr std::size_t largest = 4U << 20;
constexpr double deadline_s = 2;  // of processor time, whatever else the machine does

class HostileReports : public testing::Test {
  protected:
    ~HostileReports() override {
        EXPECT_LT(static_cast<double>(std::clock() - started_) / CLOCKS_PER_SEC, deadline_s);
    }

    // As many of `row(0)`, `row(1)` … behind `text` as a message holds.
    template <typename Row>
    static std::string filled(std::string text, Row row) {
        const auto rows_before = static_cast<std::size_t>(std::ranges::count(text, '\r'));
        for (std::size_t i = 0; i + rows_before < most_rows && text.size() < largest; ++i)
            text.append(row(i)).append("\r");
        return text;
    }

    Reader reader_;
    const std::string header_{report_header};

  private:
    std::clock_t started_ = std::clock();
};

TEST_F(HostileReports, ALongTimeOfAnOrderIsNotReadForEachOfItsRows) {
    MITRAL_PROVES("T-MON-03");
    const auto text = header_ + "OBR|1||||||" + std::string(3'000'000, '2') + "\r";
    const auto readings =
        reader_.read(filled(text, [](auto) { return "OBX|1|NM|147842^^MDC||72|/min"; }));
    EXPECT_FALSE(readings.at(0).device_time);
    EXPECT_GT(reader_.counts.times, 10'000U);
}

TEST_F(HostileReports, LongFactsAreNotReadForEachWave) {
    MITRAL_PROVES("T-MON-03");
    auto text = header_;
    for (int i = 0; i < 64; ++i)
        text += "OBX|1|NM|0^MDC_ATTR_NU_MSMT_RES^MDC|7.1|1|" + std::string(50'000, 'x') + "\r";
    (void)reader_.try_read(filled(text, [](auto) { return "OBX|1|NA|131330^^MDC|7|1^2"; }));
}

TEST_F(HostileReports, LongChannelsAreNotReadForEachWave) {
    MITRAL_PROVES("T-MON-03");
    auto text = header_;
    for (int i = 0; i < 64; ++i)
        text += "OBX|1|CD|" + std::string(20'000, 'x') + "|1|" + std::string(30'000, 'x') + "\r";
    const std::string turns = std::string(63, '^');
    (void)reader_.try_read(filled(text, [&](auto) { return "OBX|1|MA|5|1|" + turns; }));
}

TEST_F(HostileReports, ManyChannelsInTurnsAreRefused) {
    MITRAL_PROVES("T-MON-03");
    auto text = header_;
    for (int i = 0; i < 64; ++i)
        text += "OBX|1|CD|5&CHN^X^L|1|1&LEAD X^^0.5&mV^^200\r";
    const std::string turns = std::string(63, '^');
    EXPECT_FALSE(reader_.try_read(filled(text, [&](auto) { return "OBX|1|MA|5|1|" + turns; })));
}

TEST_F(HostileReports, ManyStartsAreFound) {
    MITRAL_PROVES("T-MON-03");
    const std::string place(180, '1');
    (void)reader_.try_read(filled(header_, [&](std::size_t i) {
        const auto channel = std::to_string(i / 2) + place;
        return i % 2 == 0 ? "OBX|1|TS|5&TIM|" + channel + "|20260101100000+0100"
                          : "OBX|1|NA|131330^^MDC|" + channel + "|1";
    }));
}

TEST_F(HostileReports, ManyTimesAreLookedForOnce) {
    MITRAL_PROVES("T-MON-03");
    EXPECT_FALSE(reader_.try_read(filled(header_, [](std::size_t i) {
        const auto digits = std::to_string(100'000 + i);
        return "OBX|1|NM|147842^^MDC||72|/min||||||||2026010110" + digits.substr(1, 2) + "00." +
               digits.substr(3) + "+0100";
    })));
}

}  // namespace
}  // namespace mitral::intake::hl7
