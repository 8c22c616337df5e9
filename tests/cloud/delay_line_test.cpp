#include "cloud/front/delay_line.hpp"

#include <gtest/gtest.h>

namespace mitral::cloud::front {
namespace {

using base::Milliseconds;

class DelayLineTest : public testing::Test {
  protected:
    void turn() { ASSERT_TRUE(loop_->run_once(Milliseconds(20))); }

    std::unique_ptr<base::EventLoop> loop_ = *base::EventLoop::create();
    base::ManualClock clock_{base::WallTime{1'790'000'000'000}};
    std::string out_;
    DelayLine line_{*loop_, clock_, [this](base::ByteView bytes) { out_ += base::as_text(bytes); }};
};

TEST_F(DelayLineTest, HoldsEachPieceForItsTimeAndKeepsTheirOrder) {
    line_.put(base::as_bytes("slow,"), Milliseconds(2));
    line_.put(base::as_bytes("swift,"), Milliseconds(0));
    line_.put(base::as_bytes("last"), Milliseconds(1'000));
    EXPECT_EQ(line_.size(), 15U);
    turn();
    EXPECT_EQ(out_, "");
    clock_.advance(Milliseconds(2));
    turn();
    EXPECT_EQ(out_, "slow,swift,");
    EXPECT_EQ(line_.size(), 4U);
    line_.release_all();
    EXPECT_EQ(out_, "slow,swift,last");
    EXPECT_TRUE(line_.empty());
}

TEST_F(DelayLineTest, TakesMoreAfterItWasEmptied) {
    line_.put(base::as_bytes("a"), Milliseconds(0));
    turn();
    line_.put(base::as_bytes("b"), Milliseconds(0));
    turn();
    EXPECT_EQ(out_, "ab");
}

}  // namespace
}  // namespace mitral::cloud::front
