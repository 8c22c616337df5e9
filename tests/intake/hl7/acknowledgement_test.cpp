#include "intake/hl7/acknowledgement.hpp"

#include <gtest/gtest.h>

namespace mitral::intake::hl7 {
namespace {

constexpr base::WallTime now{1'767'261'600'123};  // 2026-01-01T10:00:00.123Z

std::string header(std::string_view accept, std::string_view application) {
    return "MSH|^~\\&|MONITOR^7|WARD 3|GATEWAY|HOSPITAL|20260101100000||ORU^R01^ORU_R01|id \\T\\ "
           "42|P|2.4|||" +
           std::string(accept) + "|" + std::string(application) + "\r";
}

// "AA", "CE"…; "none" when nothing is sent.
std::string code(std::string_view accept, std::string_view application, Verdict verdict) {
    const auto text = header(accept, application);
    const auto message = Message::parse(text).value();
    const auto answer = acknowledge(message.header(), verdict, "", now, "1");
    return answer ? answer->substr(answer->find("\rMSA|") + 5, 2) : "none";
}

TEST(AcknowledgementTest, OriginalModeAlwaysAnswers) {
    EXPECT_EQ(code("", "", Verdict::accepted), "AA");
    EXPECT_EQ(code("", "", Verdict::later), "AE");
    EXPECT_EQ(code("", "", Verdict::never), "AR");
}

TEST(AcknowledgementTest, EnhancedModeAnswersAsItWasAsked) {
    struct Case {
        const char* accept;
        const char* application;
        const char* accepted;
        const char* later;
        const char* never;
    };
    for (const auto& [accept, application, accepted, later, never] :
         std::initializer_list<Case>{{"AL", "NE", "CA", "CE", "CR"},  // IHE PCD, most monitors
                                     {"NE", "AL", "AA", "AE", "AR"},  // GE
                                     {"AL", "AL", "CA", "CE", "CR"},  // one answer serves
                                     {"NE", "NE", "none", "none", "none"},
                                     {"ER", "NE", "none", "CE", "CR"},
                                     {"SU", "NE", "CA", "none", "none"},
                                     {"ER", "SU", "AA", "CE", "CR"},
                                     {"", "AL", "AA", "AE", "AR"},
                                     {"AL", "", "CA", "CE", "CR"},
                                     {"NE", "", "none", "none", "none"},
                                     // Not of the table: no answer could be waited for.
                                     {"\"\"", "\"\"", "AA", "AE", "AR"},
                                     {"AL ", "NE", "CA", "CE", "CR"},
                                     {" NE", "NE^x", "none", "none", "none"},
                                     {"XX", "", "CA", "CE", "CR"},
                                     {"NE", "al", "AA", "AE", "AR"}}) {
        EXPECT_EQ(code(accept, application, Verdict::accepted), accepted) << accept << application;
        EXPECT_EQ(code(accept, application, Verdict::later), later) << accept << application;
        EXPECT_EQ(code(accept, application, Verdict::never), never) << accept << application;
    }
}

TEST(AcknowledgementTest, SwapsTheEndsAndGivesTheControlIdBackByteForByte) {
    const auto text = header("", "");
    const auto message = Message::parse(text).value();
    EXPECT_EQ(acknowledge(message.header(), Verdict::accepted, "", now, "A7"),
              "\x0BMSH|^~\\&|GATEWAY|HOSPITAL|MONITOR^7|WARD "
              "3|20260101100000.123+0000||ACK^R01^ACK|A7|P|2.4\r"
              "MSA|AA|id \\T\\ 42\r\x1C\r");
    EXPECT_EQ(acknowledge(message.header(), Verdict::later, "the disk is full", now, "A8"),
              "\x0BMSH|^~\\&|GATEWAY|HOSPITAL|MONITOR^7|WARD "
              "3|20260101100000.123+0000||ACK^R01^ACK|A8|P|2.4\r"
              "MSA|AE|id \\T\\ 42|the disk is full\r\x1C\r");
}

TEST(AcknowledgementTest, UsesTheSendersDelimiters) {
    const auto message = Message::parse("MSH#@*!$#A#B#C#D###ORU@R01#9#P#2.3\r").value();
    EXPECT_EQ(
        acknowledge(message.header(), Verdict::accepted, "", now, "1"),
        "\x0BMSH#@*!$#C#D#A#B#20260101100000.123+0000##ACK@R01@ACK#1#P#2.3\rMSA#AA#9\r\x1C\r");
}

}  // namespace
}  // namespace mitral::intake::hl7
