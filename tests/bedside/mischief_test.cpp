#include "bedside/mischief.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "bedside/answer.hpp"
#include "support/result_matchers.hpp"

namespace mitral::bedside {
namespace {

const std::string message = "MSH|^~\\&|M\rPID|||1\rOBX|1|NM|x||1\r";

std::string joined(const std::vector<Step>& steps) {
    std::string bytes;
    for (const auto& step : steps)
        bytes += step.bytes;
    return bytes;
}

TEST(Mischief, LeavesAFrameAsItIsWithoutAFault) {
    Mischief none({}, 100, 1);
    EXPECT_EQ(none.draw(), Fault::none);
    const auto steps = none.steps(message, Fault::none);
    ASSERT_EQ(steps.size(), 1U);
    EXPECT_EQ(steps.front().bytes, "\x0B" + message + "\x1C\x0D");
}

TEST(Mischief, KeepsEveryByteOfWhatItCutsUp) {
    for (std::uint64_t seed = 0; seed < 50; ++seed) {
        Mischief mischief({}, 0, seed);
        EXPECT_EQ(joined(mischief.steps(message, Fault::split)), framed(message));
        EXPECT_EQ(joined(mischief.steps(message, Fault::slow)), framed(message));
        EXPECT_EQ(joined(mischief.steps(message, Fault::silence)), framed(message));
        EXPECT_EQ(joined(mischief.steps(message, Fault::resend)),
                  framed(message) + framed(message));
    }
}

TEST(Mischief, PutsJunkThatBeginsNoFrameInFront) {
    for (std::uint64_t seed = 0; seed < 50; ++seed) {
        Mischief mischief({}, 0, seed);
        const auto bytes = joined(mischief.steps(message, Fault::junk));
        EXPECT_EQ(bytes.find(frame_start), bytes.size() - framed(message).size());
        EXPECT_GT(bytes.size(), framed(message).size());
    }
}

TEST(Mischief, EndsTheMessageTheOtherWay) {
    Mischief mischief({}, 0, 1);
    const auto without = message.substr(0, message.size() - 1);
    EXPECT_EQ(joined(mischief.steps(message, Fault::tail)), framed(without));
    EXPECT_EQ(joined(mischief.steps(without, Fault::tail)), framed(message));
}

TEST(Mischief, HangsUpBeforeTheFrameEnds) {
    for (std::uint64_t seed = 0; seed < 50; ++seed) {
        Mischief mischief({}, 0, seed);
        const auto steps = mischief.steps(message, Fault::half);
        EXPECT_TRUE(steps.back().hang_up);
        EXPECT_TRUE(framed(message).starts_with(joined(steps)));
        EXPECT_LT(joined(steps).size(), framed(message).size() - 1);
    }
}

TEST(Mischief, SendsManyAtOnceOnlyForThoseFaults) {
    Mischief mischief({}, 0, 1);
    EXPECT_EQ(mischief.burst(Fault::none), 1);
    EXPECT_EQ(mischief.burst(Fault::junk), 1);
    EXPECT_GE(mischief.burst(Fault::several), 2);
    EXPECT_GE(mischief.burst(Fault::flood), 100);
}

TEST(Mischief, IsTheSameForTheSameSeed) {
    const auto wanted = parse_faults({"all"});
    ASSERT_TRUE(wanted);
    Mischief one(*wanted, 50, 7);
    Mischief two(*wanted, 50, 7);
    Mischief other(*wanted, 50, 8);
    std::vector<Fault> a;
    std::vector<Fault> b;
    std::vector<Fault> c;
    for (int i = 0; i < 200; ++i) {
        a.push_back(one.draw());
        b.push_back(two.draw());
        c.push_back(other.draw());
    }
    EXPECT_EQ(a, b);
    EXPECT_NE(a, c);
    EXPECT_GT(std::ranges::count(a, Fault::none), 60);
    EXPECT_LT(std::ranges::count(a, Fault::none), 140);
}

TEST(Mischief, RefusesWhatIsNoFault) {
    const auto refused = parse_faults({"split", "gremlin"});
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().context.find("'gremlin'"), std::string::npos);
}

}  // namespace
}  // namespace mitral::bedside
