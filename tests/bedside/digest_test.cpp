#include "bedside/digest.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace mitral::bedside {
namespace {

// The expectations are Python's: hashlib.sha256(json.dumps([…], separators=(",", ":"))…).
TEST(Digest, IsTheLedgersHash) {
    const auto head = digest_head("MDC_ECG_HEART_RATE", "/min", value_content("62.8"));
    EXPECT_EQ(head, R"(["MDC_ECG_HEART_RATE","/min","value:62.8",)");
    EXPECT_EQ(digest(head, 1'795'342'572'345), "9cb7e6567eb7c7a9889118b437d2b4ef");
}

TEST(Digest, TellsAbsenceFromAValue) {
    EXPECT_EQ(digest(digest_head("MDC_TEMP", "Cel", absent_content("not-measured")), 0),
              "892cd6012a567a2a8a85dd8aef30630d");
}

TEST(Digest, HoldsEverySample) {
    constexpr std::array<std::int32_t, 4> samples{-26, 0, 13, 2147483647};
    EXPECT_EQ(wave_content(250, "0.000438", samples), "wave:250:0.000438:-26,0,13,2147483647");
}

TEST(Digest, NamesAMessageByItsHeader) {
    EXPECT_EQ(message_identity("MON^1^EUI-64", "K-1", "20261122101612.345+0100"),
              "a800a54a905cfcdb5167ecf43f475175");
    EXPECT_NE(message_identity("A", "BC", ""), message_identity("AB", "C", ""));
}

}  // namespace
}  // namespace mitral::bedside
