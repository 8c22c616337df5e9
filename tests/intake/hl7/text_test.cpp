#include "intake/hl7/text.hpp"
#include "support/proves.hpp"

#include <gmock/gmock.h>

namespace mitral::intake::hl7 {
namespace {

TEST(UnescapeTest, SequencesBecomeWhatTheyStandFor) {
    const Delimiters usual;
    EXPECT_EQ(unescape("a\\F\\b\\S\\c\\T\\d\\R\\e\\E\\f", usual), "a|b^c&d~e\\f");
    EXPECT_EQ(unescape("a\\.br\\b", usual), "a\nb");
    EXPECT_EQ(unescape("\\H\\loud\\N\\ again", usual), "loud again");
    EXPECT_EQ(unescape("\\X41\\\\X4a4B\\", usual), "AJK");
    EXPECT_EQ(unescape("50\\P\\", usual), "50#");
}

TEST(UnescapeTest, WhatIsNoSequenceStaysAsItIs) {
    const Delimiters usual;
    for (const char* text :
         {"a\\b", "\\", "\\\\", "\\Z1\\x", "\\X4\\", "\\XZZ\\", "\\.sp+1\\x", "C:\\dir\\x"})
        EXPECT_EQ(unescape(text, usual), text);
    EXPECT_EQ(unescape("a\\b\\F\\c", usual), "a\\b|c");  // the second backslash opens the sequence
}

TEST(UnescapeTest, TheSendersDelimitersCount) {
    EXPECT_EQ(unescape("a!F!b!S!c\\F\\", {'#', '@', '*', '!', '$'}), "a#b@c\\F\\");
    EXPECT_EQ(unescape("a\\F\\b", {'|', '^', '~', '\0', '&'}), "a\\F\\b");
}

std::string utf8(std::string_view text, std::string_view set) {
    std::string storage;
    const auto converted = to_utf8(text, set, storage);
    EXPECT_TRUE(converted) << converted.error().reason;
    return std::string(converted.value_or(std::string_view{}));
}

TEST(CharacterSetTest, IsReadAsMsh18Says) {
    EXPECT_EQ(utf8("plain", ""), "plain");
    EXPECT_EQ(utf8("\xD0\x98\xD0\xB2\xD0\xB0\xD0\xBD", "UNICODE UTF-8"), "Иван");
    EXPECT_EQ(utf8("M\xFCller", "8859/1"), "Müller");
    EXPECT_EQ(utf8("\xB8\xD2\xD0\xDD", "8859/5"), "Иван");
    EXPECT_EQ(utf8("\xA4", "8859/15"), "€");
    EXPECT_EQ(utf8("\xC0\xEE", "GB 18030-2000"), "李");
}

// The second byte of this character is '\\': taken for ASCII the structure would break.
TEST(CharacterSetTest, AByteThatLooksLikeADelimiterIsNone) {
    EXPECT_EQ(utf8("A\xB3\x5C", "BIG-5"), "A許");
    EXPECT_EQ(utf8("A\x81\x7C", "GB18030"), "A亅");
}

TEST(CharacterSetTest, WhatCannotBeReadIsRefused) {
    MITRAL_PROVES("T-MON-04", "CR 3.5");
    std::string storage;
    for (const char* set : {"UNICODE UTF-16", "UNICODE UTF-32", "EBCDIC", "8859/99"})
        EXPECT_FALSE(to_utf8("text", set, storage)) << set;
    EXPECT_FALSE(to_utf8("\x81", "BIG-5", storage));
}

}  // namespace
}  // namespace mitral::intake::hl7
