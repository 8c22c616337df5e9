#include <gtest/gtest.h>

#include "cloud/amqp/frame_guard.hpp"
#include "cloud/amqp_stand.hpp"
#include "support/proves.hpp"

namespace mitral::cloud::amqp {
namespace {

using namespace std::string_literals;
using namespace std::string_view_literals;

constexpr auto header = "AMQP\x00\x01\x00\x00"sv;
constexpr auto open_frame = "\x00\x00\x00\x10\x02\x00\x00\x00\x00\x53\x10\xc0\x03\x01\xa1\x00"sv;
constexpr auto close_frame = "\x00\x00\x00\x0c\x02\x00\x00\x00\x00\x53\x18\x45"sv;

class AmqpConnectionTest : public ::testing::Test {
  protected:
    base::Result<std::size_t> hear(std::string_view bytes) {
        return connection_->on_bytes(base::as_bytes(bytes));
    }
    void pass(base::Milliseconds time) {
        const auto end = stand_.clock.monotonic() + time;
        const auto advance_to = [&](base::MonotonicTime to) {
            const auto left = (to.ns - stand_.clock.monotonic().ns) / 1'000'000;
            stand_.clock.advance(base::Milliseconds(std::max<std::int64_t>(left, 0)));
        };
        while (!below_.closing() && below_.deadline <= end) {
            advance_to(below_.deadline + base::Milliseconds(1));
            connection_->on_deadline();
        }
        advance_to(end);
    }

    test::AmqpStand stand_;
    test::FakeTransport below_{*stand_.loop, stand_.clock};
    std::unique_ptr<front::Protocol> connection_ = stand_.endpoint.accept(below_);
};

TEST_F(AmqpConnectionTest, EndsWithoutATokenInTime) {
    MITRAL_PROVES("T-DOS-02");
    ASSERT_TRUE(hear(header));
    ASSERT_TRUE(hear(open_frame));
    pass(base::Milliseconds(59'000));
    EXPECT_EQ(below_.closed, "");
    pass(base::Milliseconds(3'000));
    EXPECT_EQ(below_.closed, "no token in time");
}

TEST_F(AmqpConnectionTest, EndsWhenThePeerIsSilent) {
    MITRAL_PROVES("T-DOS-02");
    ASSERT_TRUE(hear(test::signed_in_as(stand_, "service")));
    pass(base::Milliseconds(120'000));  // PLAIN counts as a token
    EXPECT_EQ(below_.closed, "");
    pass(base::Milliseconds(600'000));
    EXPECT_NE(below_.closed, "");
}

TEST_F(AmqpConnectionTest, TakesNothingPastItsEnd) {
    std::string bytes(header);
    bytes += open_frame;
    bytes += close_frame;
    const auto sent = bytes.size();
    bytes += open_frame;
    const auto taken = hear(bytes);
    ASSERT_TRUE(taken);
    EXPECT_LE(*taken, bytes.size());
    EXPECT_GE(*taken, sent);
    EXPECT_NE(below_.closed, "");
    const auto more = hear(open_frame);
    ASSERT_TRUE(more);
    EXPECT_EQ(*more, 0U);
}

TEST_F(AmqpConnectionTest, GarbageIsNotTakenAndEnds) {
    MITRAL_PROVES("T-DOS-01");
    const auto taken = hear("GET / HTTP/1.1\r\n\r\n");
    EXPECT_TRUE(!taken || *taken <= 18U);
    EXPECT_NE(below_.closed, "");
}

// The library would take them, and lose memory.
TEST_F(AmqpConnectionTest, TakesNoMechanismTwice) {
    MITRAL_PROVES("T-DOS-01", "T-DOS-02");
    const auto signed_in = test::signed_in_as(stand_, "service");
    const auto sasl = signed_in.substr(8, signed_in.find("AMQP", 8) - 8);
    for (const auto& before : {signed_in, std::string(header) + std::string(open_frame),
                               signed_in.substr(0, 8 + sasl.size())}) {
        test::FakeTransport below{*stand_.loop, stand_.clock};
        const auto connection = stand_.endpoint.accept(below);
        ASSERT_TRUE(connection->on_bytes(base::as_bytes(before)));
        EXPECT_EQ(below.closed, "");
        const auto taken = connection->on_bytes(base::as_bytes(sasl));
        EXPECT_TRUE(!taken || !below.closed.empty());
    }
}

TEST(AmqpFrameGuard, LetsSaslPassOnceHoweverTheBytesAreCut) {
    constexpr auto sasl_init = "AMQP\x03\x01\x00\x00\x00\x00\x00\x0a\x02\x01\x00\x00xy"sv;
    const auto good = std::string(sasl_init) + std::string(header) + std::string(open_frame);
    const auto bad = good + std::string(sasl_init.substr(8));
    for (std::size_t step = 1; step <= bad.size(); ++step) {
        const auto all_pass = [&](std::string_view bytes) {
            FrameGuard guard;
            for (; !bytes.empty(); bytes.remove_prefix(std::min(step, bytes.size())))
                if (!guard.look(base::as_bytes(bytes.substr(0, step)), 4096))
                    return false;
            return true;
        };
        EXPECT_TRUE(all_pass(good)) << step;
        EXPECT_FALSE(all_pass(bad)) << step;
        EXPECT_FALSE(all_pass(std::string(header) + "\x00\x00\x00\x07\x02\x00\x00\x00"s)) << step;
        // The library would begin a TLS of its own with the last two.
        EXPECT_FALSE(all_pass("GET / HTTP/1.1\r\n\r\n"sv)) << step;
        EXPECT_FALSE(all_pass("AMQP\x02\x01\x00\x00"s)) << step;
        EXPECT_FALSE(all_pass("\x16\x03\x01\x00\x05"s)) << step;
    }
}

TEST_F(AmqpConnectionTest, SurvivesItsLoopWithATimerPending) {
    ASSERT_TRUE(hear(header));
    connection_->on_closed("gone");
    connection_.reset();
    EXPECT_TRUE(stand_.loop->run_once(base::Milliseconds(1)));
}

}  // namespace
}  // namespace mitral::cloud::amqp
