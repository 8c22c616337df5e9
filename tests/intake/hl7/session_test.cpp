#include "intake/hl7/session.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "intake/hl7/reports.hpp"
#include "intake/store/fake_writer.hpp"
#include "support/proves.hpp"

namespace mitral::intake::hl7 {
namespace {

class SessionTest : public ::testing::Test {
  protected:
    SessionTest() { monitor.sender.source = "icu-1"; }

    static std::string report(std::string_view id, std::string_view value = "72") {
        std::string text(report_header);
        text.replace(text.find("|42|"), 4, "|" + std::string(id) + "|");
        text.append(report_order);
        text.append("OBX|1|NM|147842^MDC_ECG_HEART_RATE^MDC|1.1.1|")
            .append(value)
            .append("|264864^MDC_DIM_BEAT_PER_MIN^MDC|||||R\r");
        return text;
    }
    static std::string framed(std::string_view text) {
        return std::string(1, frame_start).append(text) + frame_end + frame_trailer;
    }
    void receive(std::string_view bytes) {
        const auto space = session.space(bytes.size());
        std::ranges::copy(bytes, space.begin());
        session.filled(bytes.size(), {at("2026-01-01T09:00:00Z"), {}});
        while (session.take_frame()) {
        }
    }
    // The MSA segments of the answers, without their name.
    std::vector<std::string> answers() {
        const bool committed = !store.has_open_group() || store.commit().has_value();
        session.settle(committed, at("2026-01-01T09:00:01Z"));
        std::vector<std::string> found;
        const auto output = std::exchange(session.output(), {});
        for (auto from = output.find("MSA|"); from != std::string::npos;
             from = output.find("MSA|", from + 1))
            found.push_back(output.substr(from + 4, output.find('\r', from) - from - 4));
        return found;
    }
    using Answers = std::vector<std::string>;

    test::FakeWriter writer;
    Counters counters;
    ReadingStore store{writer, counters};
    Interpreter interpreter;
    Monitor monitor;
    Session session{{store, interpreter, counters}, monitor, 64 * 1024};
};

TEST_F(SessionTest, AnswersAfterTheCommitAndNotBefore) {
    MITRAL_PROVES("T-DATA-01");
    receive(framed(report("1")));
    EXPECT_TRUE(session.unsettled());
    EXPECT_TRUE(session.output().empty());
    EXPECT_TRUE(writer.committed.empty());
    EXPECT_EQ(answers(), Answers{"AA|1"});
    EXPECT_EQ(writer.committed.size(), 1U);
    EXPECT_FALSE(session.unsettled());
}

TEST_F(SessionTest, AFailedCommitMeansLaterForAllOfItsGroup) {
    MITRAL_PROVES("T-DATA-01");
    writer.fail_commits = true;
    receive(framed(report("1")) + framed(report("2")));
    const auto later = answers();
    ASSERT_EQ(later.size(), 2U);
    EXPECT_TRUE(later[0].starts_with("AE|1|") && later[1].starts_with("AE|2|"));
    EXPECT_EQ(later[0].find('/'), std::string::npos);  // no path for a sender to see
    EXPECT_EQ(counters.postponed, 2U);
    writer.fail_commits = false;
    receive(framed(report("1")));
    EXPECT_EQ(answers(), Answers{"AA|1"});
    EXPECT_EQ(writer.committed.size(), 1U);
}

TEST_F(SessionTest, AFullSpoolMeansLaterForWhatItDidNotTake) {
    MITRAL_PROVES("T-DATA-01", "T-DOS-02");
    writer.appends_until_full = 1;
    receive(framed(report("1")) + framed(report("2")));
    const auto said = answers();
    ASSERT_EQ(said.size(), 2U);
    EXPECT_EQ(said[0], "AA|1");
    EXPECT_TRUE(said[1].starts_with("AE|2|"));
}

TEST_F(SessionTest, TellsARepetitionFromAReusedId) {
    MITRAL_PROVES("T-DATA-01", "T-DATA-02");
    receive(framed(report("1")));
    EXPECT_EQ(answers(), Answers{"AA|1"});
    receive(framed(report("1")) + framed(report("1", "99")));
    const auto said = answers();
    ASSERT_EQ(said.size(), 2U);
    EXPECT_EQ(said[0], "AA|1");
    EXPECT_TRUE(said[1].starts_with("AR|1|"));
    EXPECT_EQ(writer.committed.size(), 1U);
    EXPECT_EQ(monitor.refused, 1U);
}

TEST_F(SessionTest, AnswersEachMessageOfABatchInItsOrder) {
    receive(framed("BHS|^~\\&\r" + report("1") + report("2") + "MSH|^~\\&|||||||ADT^A01|3|P|2.6\r" +
                   report("4") + "BTS|4\r"));
    const auto said = answers();
    ASSERT_EQ(said.size(), 4U);
    EXPECT_EQ(said[1], "AA|2");
    EXPECT_TRUE(said[2].starts_with("AR|3|"));
    EXPECT_EQ(said[3], "AA|4");
}

TEST_F(SessionTest, BoundsTheMessagesOfAFrame) {
    MITRAL_PROVES("T-MON-03");
    std::string batch;
    for (int i = 0; i < 1100; ++i)
        batch += "MSH|^~\\&|||||||ADT^A01|" + std::to_string(i) + "|P|2.6\r";
    receive(framed(batch));
    EXPECT_EQ(answers().size(), Session::max_messages_in_frame + 1);
}

TEST_F(SessionTest, ATooLongMessageIsRefusedByItsName) {
    MITRAL_PROVES("T-MON-03");
    receive(framed(report("7") + "ZZZ|" + std::string(80'000, 'x') + "\r") + framed(report("8")));
    const auto said = answers();
    ASSERT_EQ(said.size(), 2U);
    EXPECT_TRUE(said[0].starts_with("AR|7|"));
    EXPECT_EQ(said[1], "AA|8");
}

TEST_F(SessionTest, AFrameWithoutAnEndIsNotAnswered) {
    MITRAL_PROVES("T-MON-04");
    receive("\x0B" + report("1") + framed(report("2")) + "\x0B" + report("3"));
    EXPECT_EQ(answers(), Answers{"AA|2"});
    session.end_of_input();
    EXPECT_EQ(answers(), Answers{});
    EXPECT_EQ(counters.unfinished, 2U);
}

TEST_F(SessionTest, CountsWhatIsNotInTheCharacterSetItNames) {
    auto text = report("1") + "PID|1||\xFF\r";
    text.replace(text.find("UNICODE UTF-8"), 13, "8859/7");
    receive(framed(text));
    EXPECT_EQ(answers(), Answers{"AA|1"});
    EXPECT_EQ(monitor.not_understood.character_sets, 1U);
    // A set whose characters may look like delimiters is not guessed at.
    auto other = report("2") + "PID|1||\xFF\xFF\r";
    other.replace(other.find("UNICODE UTF-8"), 13, "BIG-5");
    receive(framed(other));
    EXPECT_TRUE(answers().at(0).starts_with("AR|2|"));
}

// As monitors in Japan send: MSH-18 says "~ISO IR87", and the bytes of a kanji look like "|" and
// "^".
TEST_F(SessionTest, KanjiDoNotShiftTheFields) {
    auto text = report("1");
    text.replace(text.find("UNICODE UTF-8"), 13, "~ISO IR87");
    text.replace(text.find("MDC_ECG_HEART_RATE"), 18, "\x1B$B\x3C\x7C\x30\x5E\x1B(B");
    receive(framed(text));
    EXPECT_EQ(answers(), Answers{"AA|1"});
    ASSERT_EQ(writer.committed.size(), 1U);
    const auto reading = clinical::decode_record(writer.committed[0].payload);
    ASSERT_TRUE(reading);
    EXPECT_EQ(reading->observations.at(0).value,
              (std::variant<clinical::Decimal, clinical::Absent>(clinical::Decimal{72, 0})));
}

TEST_F(SessionTest, ALongFrameCountsAsSeveral) {
    MITRAL_PROVES("T-MON-03");
    Session large({store, interpreter, counters}, monitor, 1U << 20);
    const auto cost_of = [&](const std::string& bytes) {
        std::ranges::copy(bytes, large.space(bytes.size()).begin());
        large.filled(bytes.size(), {at("2026-01-01T09:00:00Z"), {}});
        return large.take_frame();
    };
    EXPECT_EQ(cost_of(framed(report("1"))), 1U);
    EXPECT_EQ(cost_of(framed(report("2") + "ZZZ|" + std::string(1'000'000, 'x') + "\r")), 16U);
    EXPECT_EQ(cost_of(framed(report("3") + "ZZZ|" + std::string(2'000'000, 'x') + "\r")), 17U);
}

TEST_F(SessionTest, WhatIsNoMessageCountsAsSome) {
    MITRAL_PROVES("T-MON-03", "T-DOS-01");
    const auto costs_of = [&](const std::string& bytes) {
        std::ranges::copy(bytes, session.space(bytes.size()).begin());
        session.filled(bytes.size(), {at("2026-01-01T09:00:00Z"), {}});
        std::vector<std::size_t> costs;
        while (const auto cost = session.take_frame())
            costs.push_back(*cost);
        return costs;
    };
    using Costs = std::vector<std::size_t>;
    EXPECT_EQ(costs_of(std::string(Session::bytes_of_a_message - 1, 'x')), Costs{});
    EXPECT_EQ(costs_of("x"), Costs{1});
    EXPECT_EQ(costs_of(std::string(3 * Session::bytes_of_a_message + 9, 'x')), Costs{3});
    EXPECT_EQ(costs_of("\x0B\x0B\x0B" + report("1") + "\x1C\r"), (Costs{1, 1, 1}));
    // Too long, and then without an end.
    EXPECT_EQ(costs_of("\x0B" + std::string(70'000, 'x')), Costs{2});
    EXPECT_EQ(costs_of(std::string(2 * Session::bytes_of_a_message, 'x')), Costs{2});
}

TEST_F(SessionTest, WhatALongMessageNeededIsGivenBack) {
    MITRAL_PROVES("T-MON-03");
    Session large({store, interpreter, counters}, monitor, 1U << 20);
    auto text = report("1") + "ZZZ|" + std::string(500'000, 'x') + "\xFC\r";
    text.replace(text.find("UNICODE UTF-8"), 13, "8859/1");
    const auto bytes = framed(text);
    std::ranges::copy(bytes, large.space(bytes.size()).begin());
    large.filled(bytes.size(), {at("2026-01-01T09:00:00Z"), {}});
    EXPECT_TRUE(large.take_frame());
    EXPECT_FALSE(large.take_frame());
    (void)large.space(1);
    EXPECT_LE(large.held_bytes(), 2 * MllpDecoder::resting_bytes);
}

TEST_F(SessionTest, MeasuresTheMonitorsClock) {
    receive(framed(report("1")));
    EXPECT_EQ(monitor.clock_offset_ms, 0);
    EXPECT_EQ(monitor.last_message, at("2026-01-01T09:00:00Z"));
}

}  // namespace
}  // namespace mitral::intake::hl7
