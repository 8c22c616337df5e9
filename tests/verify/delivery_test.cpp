#include "verify/delivery.hpp"

#include <gtest/gtest.h>

#include "base/encoding.hpp"
#include "support/proves.hpp"
#include "verify/unit.hpp"

namespace mitral::test {
namespace {

using verify::Kind;
using Kinds = std::vector<Kind>;

std::string line_of(int number, std::string_view body) {
    return "00000000000000ab-" + std::to_string(number) + " " +
           base::to_base64(base::sha256(base::as_bytes(body)));
}

class Delivery : public ::testing::Test {
  protected:
    Delivery() {
        list.lane = "lines/vitals";
        for (const int number : {1, 2, 3}) {
            list.lines.push_back(line_of(number, "reading"));
            arrive(number, "reading");
        }
        unit.report.lanes = {{"lines/vitals", 0xab, 1, 4, hash(), 0}};
        marks = verify::first_marks(unit.said(), 1'780'000'500);
    }
    void arrive(int number, std::string_view body) {
        arrivals.add("lines-vitals-00000000000000ab-" + std::to_string(number),
                     base::as_bytes(body));
    }
    // As the uplink makes it (docs/formats/checkpoint-1.md).
    base::Sha256Digest hash() const {
        std::string text;
        for (const auto& line : list.lines)
            text += line + "\n";
        return base::sha256(base::as_bytes(text + std::to_string(list.unlisted) + "\n"));
    }
    Kinds judge() const {
        Kinds kinds;
        for (const auto& finding : judge_lists(marks, unit.again(), {list}, arrivals))
            kinds.push_back(finding.kind);
        return kinds;
    }

    Unit unit;
    verify::Marks marks;
    verify::LaneList list;
    verify::Arrivals arrivals;
};

TEST_F(Delivery, WhatArrivedAsItWasSentGivesNoCause) {
    MITRAL_PROVES("T-ROLL-01");
    EXPECT_EQ(judge(), Kinds{});
    arrive(2, "reading");  // again
    arrive(9, "not listed yet");
    EXPECT_EQ(judge(), Kinds{});
}

TEST_F(Delivery, AMessageThatIsMissingIsNamed) {
    MITRAL_PROVES("T-ROLL-01", "T-DATA-01");
    verify::Arrivals fewer;
    fewer.add("lines-vitals-00000000000000ab-1", base::as_bytes("reading"));
    fewer.add("lines-vitals-00000000000000ab-3", base::as_bytes("reading"));
    arrivals = fewer;
    EXPECT_EQ(judge(), Kinds{Kind::message_missing});
    const auto findings = judge_lists(marks, unit.again(), {list}, arrivals);
    EXPECT_NE(findings.at(0).cause.find("lines-vitals-00000000000000ab-2"), std::string::npos);
}

TEST_F(Delivery, AMessageWithAnotherContentIsNamed) {
    MITRAL_PROVES("T-ROLL-01", "T-DATA-02");
    arrive(2, "another");  // beside the true one
    EXPECT_EQ(judge(), Kinds{Kind::message_altered});
}

TEST_F(Delivery, AListThatWasNotSignedIsTold) {
    MITRAL_PROVES("T-ROLL-01");
    const auto sound = list;
    list.lines.pop_back();
    EXPECT_EQ(judge(), Kinds{Kind::list_altered});
    list = sound;
    list.unlisted = 1;
    EXPECT_EQ(judge(), Kinds{Kind::list_altered});
    list = sound;
    list.lane = "lines/waves";
    EXPECT_EQ(judge(), Kinds{Kind::list_altered});
    list = sound;  // negative control
    EXPECT_EQ(judge(), Kinds{});
}

TEST_F(Delivery, FindingsOfALaneAreBounded) {
    arrivals = {};
    for (int number = 4; number < 1000; ++number)
        list.lines.push_back(line_of(number, "reading"));
    unit.report.lanes[0].hash = hash();
    EXPECT_EQ(judge().size(), 11U);
}

TEST_F(Delivery, NothingIsSaidOfWhatIsNoCheckpointOfTheUnit) {
    unit.key = std::make_shared<const base::P256KeyPair>(*base::p256_new_key());
    arrivals = {};
    EXPECT_EQ(judge(), Kinds{});
}

}  // namespace
}  // namespace mitral::test
