#include <gtest/gtest.h>

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
    const auto key = (*stand_.state->policies.find(hub::hub_service, "service"))->primary_key;
    const auto response = "\0service\0"s + key;
    ASSERT_LT(response.size(), 100U);
    std::string fields = "\xa3\x05PLAIN\xa0"s + static_cast<char>(response.size()) + response;
    std::string body = "\x00\x53\x41\xc0"s + static_cast<char>(fields.size() + 1) + "\x02" + fields;
    std::string frame = "\x00\x00\x00"s + static_cast<char>(body.size() + 8) + "\x02\x01\x00\x00"s;
    ASSERT_TRUE(hear("AMQP\x03\x01\x00\x00"s + frame + body));
    ASSERT_TRUE(hear(header));
    ASSERT_TRUE(hear(open_frame));
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

TEST_F(AmqpConnectionTest, SurvivesItsLoopWithATimerPending) {
    ASSERT_TRUE(hear(header));
    connection_->on_closed("gone");
    connection_.reset();
    EXPECT_TRUE(stand_.loop->run_once(base::Milliseconds(1)));
}

}  // namespace
}  // namespace mitral::cloud::amqp
