#include "bedside/answer.hpp"

#include <gtest/gtest.h>

namespace mitral::bedside {
namespace {

TEST(Answer, KnowsBothModes) {
    const auto kind = [](std::string_view code) {
        return read_answer("MSH|^~\\&|G|||M|20260101||ACK|1|P|2.6\rMSA|" + std::string(code) +
                           "|K-1\r")
            .kind;
    };
    EXPECT_EQ(kind("AA"), AnswerKind::accepted);
    EXPECT_EQ(kind("CA"), AnswerKind::accepted);
    EXPECT_EQ(kind("AE"), AnswerKind::later);
    EXPECT_EQ(kind("CE"), AnswerKind::later);
    EXPECT_EQ(kind("AR"), AnswerKind::never);
    EXPECT_EQ(kind("CR"), AnswerKind::never);
    EXPECT_EQ(kind("XX"), AnswerKind::other);
}

TEST(Answer, SaysForWhichMessageAndWhy) {
    const auto answer = read_answer("MSH|^~\\&|G\rMSA|AR|K-1|too long");
    EXPECT_EQ(answer.control_id, "K-1");
    EXPECT_EQ(answer.text, "too long");
    EXPECT_EQ(read_answer("MSH|^~\\&|G\rMSA|AR|K-1\rERR|||207|E||||not an ORU\r").text,
              "not an ORU");
}

TEST(Answer, TakesAnySegmentEnd) {
    EXPECT_EQ(read_answer("MSH|^~\\&|G\r\nMSA|AA|K-1\r\n").control_id, "K-1");
    EXPECT_EQ(read_answer("MSH|^~\\&|G\nMSA|AA|K-1").control_id, "K-1");
}

TEST(Answer, KnowsAQuery) {
    EXPECT_EQ(read_answer("MSH|^~\\&|||||||QRY^R02|1|P|2.3.1\rQRD|x\r").kind, AnswerKind::query);
    EXPECT_EQ(read_answer("").kind, AnswerKind::other);
}

TEST(Frames, ComeWholeHoweverTheyAreCut) {
    const std::string bytes = "junk" + framed("one") + framed("two\r") + "\x0Bthr";
    for (std::size_t cut = 1; cut < bytes.size(); ++cut) {
        FrameReader reader;
        std::vector<std::string> frames;
        for (const auto& piece : {bytes.substr(0, cut), bytes.substr(cut)}) {
            reader.feed(piece);
            while (auto frame = reader.next())
                frames.push_back(*frame);
        }
        EXPECT_EQ(frames, (std::vector<std::string>{"one", "two\r"})) << cut;
    }
}

TEST(Frames, DoNotGrowWithoutEnd) {
    FrameReader reader;
    reader.feed(std::string(FrameReader::max_frame, 'x'));
    EXPECT_FALSE(reader.overlong());
    reader.feed("x");
    EXPECT_TRUE(reader.overlong());
}

}  // namespace
}  // namespace mitral::bedside
