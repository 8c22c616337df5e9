#include "intake/hl7/message.hpp"
#include "support/proves.hpp"

#include <gmock/gmock.h>

namespace mitral::intake::hl7 {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// Made up for this test; the shape is that of IHE PCD-01.
constexpr std::string_view report =
    "MSH|^~\\&|MONITOR^0123456789ABCDEF^EUI-64|WARD|GATEWAY|HOSPITAL|20260101100000+0100||"
    "ORU^R01^ORU_R01|42|P|2.6|||NE|AL|||||IHE_PCD_001^IHE PCD^1.3.6.1.4.1.19376.1.6.1.1.1^ISO\r"
    "PID|||7^^^X||Doe^Jane\r"
    "OBR|1|||182777000^monitoring of patient^SCT|||20260101100000+0100\r"
    "OBX|1|NM|147842^MDC_ECG_HEART_RATE^MDC|1.1.1.1|72|264864^MDC_DIM_BEAT_PER_MIN^MDC|||||R\r"
    "OBX|2|NA|131330^MDC_ECG_ELEC_POTL_II^MDC|1.1.1.2|80^88~92&1^\"\"|||||||\"\"\r";

Message parsed(std::string_view text) {
    auto message = Message::parse(text);
    EXPECT_TRUE(message) << message.error().reason;
    return *std::move(message);
}

TEST(MessageTest, FieldsAreCountedAsInTheStandard) {
    const auto message = parsed(report);
    ASSERT_EQ(message.segments().size(), 5U);
    const auto& header = message.header();
    EXPECT_EQ(header.field(1).raw(), "|");
    EXPECT_EQ(header.field(2).raw(), "^~\\&");
    EXPECT_EQ(header.field(3).component(1).raw(), "MONITOR");
    EXPECT_EQ(header.field(9).component(2).raw(), "R01");
    EXPECT_EQ(header.field(10).raw(), "42");
    EXPECT_EQ(header.field(16).raw(), "AL");
    EXPECT_EQ(header.field(21).component(4).raw(), "ISO");
    EXPECT_TRUE(header.field(22).empty());
    const auto& rate = message.segments()[3];
    EXPECT_EQ(rate.name(), "OBX");
    EXPECT_EQ(rate.field(5).raw(), "72");
    EXPECT_EQ(rate.field(11).raw(), "R");
}

TEST(MessageTest, PartsHavePartsAndThoseThatAreMissingAreEmpty) {
    const auto message = parsed(report);
    const auto wave = message.segments()[4].field(5);
    EXPECT_EQ(wave.repetitions(), 2U);
    EXPECT_EQ(wave.repetition(1).components(), 2U);
    EXPECT_EQ(wave.repetition(1).component(2).raw(), "88");
    EXPECT_EQ(wave.repetition(2).component(1).subcomponent(2).raw(), "1");
    EXPECT_TRUE(wave.repetition(2).component(2).is_null());
    EXPECT_TRUE(wave.repetition(3).empty());
    EXPECT_TRUE(wave.component(9).empty());
    EXPECT_FALSE(message.segments()[4].field(7).is_null());
    EXPECT_TRUE(message.segments()[4].field(12).is_null());
}

TEST(MessageTest, DelimitersComeFromTheHeader) {
    const auto message = parsed("MSH#@*!$#A@B#C\rOBX#1#NM#1@X\r");
    EXPECT_EQ(message.delimiters().component, '@');
    EXPECT_EQ(message.delimiters().repetition, '*');
    EXPECT_EQ(message.delimiters().escape, '!');
    EXPECT_EQ(message.delimiters().subcomponent, '$');
    EXPECT_EQ(message.header().field(3).component(2).raw(), "B");
    EXPECT_EQ(message.segments()[1].field(3).component(2).raw(), "X");
}

// Both occur in the field.
TEST(MessageTest, ABrokenMsh2IsReadAsItWasMeant) {
    const auto blanked = parsed("MSH|^~ &|A\r");
    EXPECT_EQ(blanked.delimiters().escape, '\0');
    EXPECT_EQ(blanked.delimiters().subcomponent, '&');
    const auto shortened = parsed("MSH|^~&|A\r");
    EXPECT_EQ(shortened.delimiters().escape, '\0');
    EXPECT_EQ(shortened.delimiters().subcomponent, '&');
    EXPECT_EQ(shortened.header().field(3).raw(), "A");
}

TEST(MessageTest, ALineEndsAtTheFirstCrOrLf) {
    EXPECT_EQ(first_line(""), "");
    EXPECT_EQ(first_line("\rMSH"), "");
    EXPECT_EQ(first_line("MSH"), "MSH");
    EXPECT_EQ(first_line("MSH|\nPID\rOBX"), "MSH|");
    EXPECT_EQ(first_line("MSH|\rPID\nOBX"), "MSH|");
    for (const std::size_t size : {1U, 511U, 512U, 513U, 1023U, 1024U, 1025U, 5000U}) {
        const std::string line(size, 'x');
        for (const auto* rest : {"\r", "\n", "\r\nPID\r", "\nPID\r", ""})
            EXPECT_EQ(first_line(line + rest), line) << size;
    }
}

TEST(MessageTest, SegmentsEndWithCrLfOrBoth) {
    for (const char* text : {"MSH|^~\\&|A\rPID|1\rOBX|1", "MSH|^~\\&|A\nPID|1\nOBX|1\n",
                             "MSH|^~\\&|A\r\nPID|1\r\n\r\nOBX|1\r\n"}) {
        const auto message = parsed(text);
        ASSERT_EQ(message.segments().size(), 3U) << text;
        EXPECT_EQ(message.segments()[1].raw(), "PID|1");
    }
}

TEST(MessageTest, ATextMayHaveLinesWhereSegmentsEndWithCr) {
    const auto message = parsed("MSH|^~\\&|A\rOBX|1|TX|||one\ntwo\n\nthree||R\r\nOBX|2\r");
    ASSERT_EQ(message.segments().size(), 3U);
    EXPECT_EQ(message.segments()[1].field(5).raw(), "one\ntwo\n\nthree");
    EXPECT_EQ(message.segments()[1].field(7).raw(), "R");
    EXPECT_EQ(message.segments()[2].raw(), "OBX|2");
    for (const char* text : {"MSH|^~\\&|A\nOBX|1\ntwo\n", "MSH|^~\\&|A\ntwo\rOBX|1\r",
                             "MSH|^~\\&|A\rOBX|1\rtwo\r", "MSH|^~\\&|A\r\nOBX|1\r\ntwo\r\n"})
        EXPECT_FALSE(Message::parse(text)) << text;
}

TEST(MessageTest, FillersBehindTheLastSegmentAreNone) {
    using std::string_literals::operator""s;
    for (const auto& text : {"MSH|^~\\&|A\rPID|1\r\0"s, "MSH|^~\\&|A\rPID|1\r  \r\t\0"s})
        EXPECT_EQ(parsed(text).segments().size(), 2U) << text;
}

TEST(MessageTest, WhatIsNoMessageIsRefusedWithAReason) {
    MITRAL_PROVES("T-MON-04", "CR 3.5");
    for (const char* text : {"", "PID|1\r", "MSH", "MSH|", "MSH|^", "MSHAB~\\&|", "MSH|ab\\&|x"})
        EXPECT_FALSE(Message::parse(text)) << text;
    const auto refused = Message::parse("MSH|^~\\&|A\rsomething else\r");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().reason, "a segment does not begin with its name");
}

TEST(MessageTest, ThereIsABoundOnSegments) {
    MITRAL_PROVES("T-MON-03", "CR 3.5");
    std::string text = "MSH|^~\\&|A\r";
    for (std::size_t i = 1; i < Message::max_segments; ++i)
        text.append("OBX\r");
    EXPECT_TRUE(Message::parse(text));
    EXPECT_FALSE(Message::parse(text + "OBX\r"));
}

TEST(MessageTest, ABatchIsSplitAtItsMessages) {
    EXPECT_THAT(
        split_batch("FHS|^~\\&\rBHS|^~\\&\rMSH|^~\\&|1\rPID|1\rMSH|^~\\&|2\rOBX|1\rBTS|2\rFTS|1\r"),
        ElementsAre("MSH|^~\\&|1\rPID|1", "MSH|^~\\&|2\rOBX|1"));
    EXPECT_THAT(split_batch("MSH|^~\\&|1\r"), ElementsAre("MSH|^~\\&|1"));
    EXPECT_THAT(split_batch("PID|1\rOBX|1\r"), IsEmpty());
    EXPECT_THAT(split_batch(""), IsEmpty());
}

}  // namespace
}  // namespace mitral::intake::hl7
