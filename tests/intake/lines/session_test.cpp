#include "intake/lines/session.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>

#include "intake/store/fake_writer.hpp"
#include "support/proves.hpp"

namespace mitral::intake {
namespace {

constexpr std::string_view line_header = R"({"schema":"mitral.lines/1","source":"bed-1"})"
                                         "\n";
constexpr std::string_view batch_header =
    R"({"schema":"mitral.lines/1","source":"bed-1","ack":"batch"})"
    "\n";

std::string vital(std::string_view id) {
    return R"({"id":")" + std::string(id) +
           R"(","obs":[{"code":"x","value":1,"unit":"1"}]})"
           "\n";
}

class SessionTest : public ::testing::Test {
  protected:
    void send(std::string_view text) {
        while (!text.empty()) {
            const auto space = session.space(1);
            const auto count = std::min(space.size(), text.size());
            std::copy_n(text.data(), count, reinterpret_cast<char*>(space.data()));
            session.received(count, {{1000}, base::ClockState::synchronised});
            text.remove_prefix(count);
        }
    }
    // One pass of the server: commit, settle, and what was said.
    std::string settle() {
        const bool committed = !store.has_open_group() || store.commit().has_value();
        if (session.unsettled())
            session.settle(committed);
        return std::exchange(session.output(), {});
    }

    test::FakeWriter writer;
    Counters counters;
    ReadingStore store{writer, counters};
    LineParser parser;
    SourceOwners owners;
    Session session{store, owners, parser, counters};
};

TEST_F(SessionTest, SaysOkOnceForAllLinesOfAPass) {
    MITRAL_PROVES("T-DATA-01");
    send(line_header);
    EXPECT_EQ(settle(), "");
    send(vital("a") + vital("b") + vital("c"));
    EXPECT_EQ(session.output(), "");  // not before the commit
    EXPECT_EQ(writer.committed.size(), 0U);
    EXPECT_EQ(settle(), "ok 3\n");
    EXPECT_EQ(writer.committed.size(), 3U);
    EXPECT_EQ(settle(), "");
    send(vital("d"));
    EXPECT_EQ(settle(), "ok 4\n");
    const auto reading = writer.readings().back();
    EXPECT_EQ(reading.source, "bed-1");
    EXPECT_EQ(reading.control_id, "d");
    EXPECT_EQ(reading.received, base::WallTime{1000});
    EXPECT_EQ(reading.clock, base::ClockState::synchronised);
}

TEST_F(SessionTest, RefusalsComeBeforeTheOkThatCoversThem) {
    MITRAL_PROVES("T-SW-01", "T-DATA-01");
    send(line_header);
    send(vital("a") + "garbage\n" + vital("b") + R"({"id":"c"})" + "\n");
    EXPECT_EQ(settle(),
              "no 2 not a JSON object on one line, in UTF-8\n"
              "no 4 neither obs nor waves\n"
              "ok 4\n");
    EXPECT_EQ(writer.committed.size(), 2U);
    EXPECT_EQ(counters.refused, 2U);
    EXPECT_EQ(counters.lines, 4U);
}

TEST_F(SessionTest, ABatchIsAnsweredAtItsEnd) {
    MITRAL_PROVES("T-DATA-01");
    send(batch_header);
    send(vital("a") + vital("b"));
    EXPECT_EQ(settle(), "");
    EXPECT_EQ(writer.committed.size(), 2U);
    send(vital("c") + "bad\n\n" + vital("d") + "worse\n");
    EXPECT_EQ(settle(),
              "no 4 not a JSON object on one line, in UTF-8\n"
              "ok 4\n"
              "no 6 not a JSON object on one line, in UTF-8\n");
    send("\r\n");
    EXPECT_EQ(settle(), "ok 6\n");
    send("\n");
    EXPECT_EQ(settle(), "ok 6\n");  // an empty batch is a question
}

TEST_F(SessionTest, EmptyLinesMeanNothingInLineMode) {
    send(line_header);
    send("\n\r\n" + vital("a") + "\n");
    EXPECT_EQ(settle(), "ok 1\n");
    send("\n");
    EXPECT_EQ(settle(), "");
}

TEST_F(SessionTest, NothingIsConfirmedThatDidNotBecomeDurable) {
    MITRAL_PROVES("T-DATA-01");
    send(line_header);
    writer.fail_commits = true;
    send(vital("a") + "bad\n" + vital("b"));
    EXPECT_EQ(settle(),
              "later 1 write failed\n"
              "no 2 not a JSON object on one line, in UTF-8\n"
              "later 3 write failed\n"
              "ok 3\n");
    writer.fail_commits = false;
    send(vital("a") + vital("b"));
    EXPECT_EQ(settle(), "ok 5\n");
    EXPECT_EQ(writer.committed.size(), 2U);
}

TEST_F(SessionTest, AFullDiskPostponesTheLinesItDidNotTake) {
    MITRAL_PROVES("T-DATA-01", "T-DOS-02");
    send(line_header);
    writer.appends_until_full = 1;
    send(vital("a") + vital("b"));
    const auto said = settle();
    EXPECT_TRUE(said.starts_with("later 2 ")) << said;
    EXPECT_TRUE(said.ends_with("\nok 2\n")) << said;
    EXPECT_EQ(said.find("/a/path"), std::string::npos);
    writer.appends_until_full.reset();
    send(vital("b"));
    EXPECT_EQ(settle(), "ok 3\n");
    EXPECT_EQ(writer.committed.size(), 2U);
}

TEST_F(SessionTest, RepeatedIdsAreConfirmedAndNotStoredTwice) {
    MITRAL_PROVES("T-DATA-04");
    send(line_header);
    send(vital("a") + vital("a"));
    EXPECT_EQ(settle(), "ok 2\n");
    send(vital("a"));
    EXPECT_EQ(settle(), "ok 3\n");
    EXPECT_EQ(writer.committed.size(), 1U);
}

TEST_F(SessionTest, AnIdUsedInAdvanceDoesNotSwallowTheRealReading) {
    MITRAL_PROVES("T-DATA-01", "T-DATA-05", "T-SW-01");
    send(line_header);
    send(vital("a"));
    EXPECT_EQ(settle(), "ok 1\n");
    const std::string real = R"({"id":"a","obs":[{"code":"x","value":2,"unit":"1"}]})"
                             "\n";
    send(real + vital("a"));
    EXPECT_EQ(settle(), "no 2 id already used for other content\nok 3\n");
    EXPECT_EQ(writer.committed.size(), 1U);
    EXPECT_EQ(counters.refused, 1U);
    EXPECT_EQ(counters.duplicates, 1U);
}

TEST_F(SessionTest, ASourceBelongsToItsFirstUser) {
    MITRAL_PROVES("T-SW-01", "T-DATA-05");
    send(line_header);
    send(vital("a"));
    EXPECT_EQ(settle(), "ok 1\n");
    const auto header_from = [&](uid_t user) {
        Session other(store, owners, parser, counters, user);
        const auto space = other.space(line_header.size());
        std::copy(line_header.begin(), line_header.end(), reinterpret_cast<char*>(space.data()));
        other.received(line_header.size(), {{1000}, base::ClockState::synchronised});
        return other.output() + (other.finished() ? "<finished>" : "");
    };
    EXPECT_EQ(header_from(session.user() + 1), "no 0 source belongs to another user\n<finished>");
    EXPECT_EQ(header_from(session.user()), "");
    EXPECT_EQ(counters.rejected, 1U);
}

TEST_F(SessionTest, ARepeatedIdIsPostponedWithTheGroupItIsIn) {
    MITRAL_PROVES("T-DATA-01");
    send(line_header);
    writer.fail_commits = true;
    send(vital("a") + vital("a"));
    const auto said = settle();
    EXPECT_NE(said.find("later 1 "), std::string::npos);
    EXPECT_NE(said.find("later 2 "), std::string::npos);
}

TEST_F(SessionTest, ABadHeaderEndsTheConversation) {
    MITRAL_PROVES("T-SW-01");
    send("hello\n" + vital("a"));
    EXPECT_EQ(settle(), "no 0 not a JSON object on one line, in UTF-8\n");
    EXPECT_TRUE(session.finished());
    send(vital("b"));
    EXPECT_EQ(settle(), "");
    EXPECT_EQ(writer.appends, 0);
}

TEST_F(SessionTest, LongLinesAreRefusedAndTheNextOneIsRead) {
    MITRAL_PROVES("T-DOS-01", "T-SW-01");
    send(line_header);
    auto long_vital = vital("long");
    long_vital.insert(1, Session::max_line, ' ');
    send(long_vital);
    EXPECT_EQ(settle(), "no 1 line without waves longer than 65536 bytes\nok 1\n");
}

TEST_F(SessionTest, WaveLinesMayBeLonger) {
    MITRAL_PROVES("T-DOS-01");
    send(line_header);
    std::string wave =
        R"({"id":"w","waves":[{"code":"x","unit":"1","rate":1,"scale":1,"samples":[1]}]})"
        "\n";
    wave.insert(1, Session::max_wave_line - wave.size() + 1, ' ');
    ASSERT_EQ(wave.size(), Session::max_wave_line + 1);  // and a newline
    send(wave);
    EXPECT_EQ(settle(), "ok 1\n");
    wave.insert(1, " ");
    send(wave + vital("next"));
    EXPECT_EQ(settle(), "no 2 line longer than 262144 bytes\nok 3\n");
}

TEST_F(SessionTest, TheLastLineMustEnd) {
    MITRAL_PROVES("T-DATA-01", "T-SW-01");
    send(batch_header);
    auto unfinished = vital("b");
    unfinished.pop_back();
    send(vital("a") + unfinished);
    session.end_of_input();
    EXPECT_EQ(settle(), "later 2 the line has no end\nok 2\n");
    EXPECT_TRUE(session.finished());
    EXPECT_EQ(writer.committed.size(), 1U);
}

TEST_F(SessionTest, BytesOneByOneGiveTheSame) {
    MITRAL_PROVES("T-SW-01");
    const std::string all = std::string(line_header) + vital("a") + "bad\n" + vital("b");
    for (const char c : all)
        send({&c, 1});
    EXPECT_EQ(settle(), "no 2 not a JSON object on one line, in UTF-8\nok 3\n");
    EXPECT_EQ(writer.committed.size(), 2U);
}

TEST_F(SessionTest, ZeroIsAValueWhenTheSenderSaysSo) {
    // "Not measured" is the sender's knowledge (docs/formats/lines-1.md): the gateway neither
    // invents a value nor takes one away.
    MITRAL_PROVES("T-DATA-05");
    send(line_header);
    send(R"({"id":"a","obs":[{"code":"MDC_PULS_OXIM_SAT_O2","absent":"not-measured"},)"
         R"({"code":"MDC_ECG_HEART_RATE","value":0}]})"
         "\n");
    EXPECT_EQ(settle(), "ok 1\n");
    const auto reading = writer.readings().at(0);
    EXPECT_EQ(std::get<clinical::Absent>(reading.observations[0].value),
              clinical::Absent::not_measured);
    EXPECT_EQ(std::get<clinical::Decimal>(reading.observations[1].value),
              (clinical::Decimal{0, 0}));
}

}  // namespace
}  // namespace mitral::intake
