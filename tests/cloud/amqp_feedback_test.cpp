// Who holds a batch of feedback, and for how long.
#include <gtest/gtest.h>

#include "cloud/amqp/devicebound.hpp"
#include "cloud/amqp/feedback.hpp"
#include "cloud/amqp_stand.hpp"
#include "support/proves.hpp"

namespace mitral::cloud::amqp {
namespace {

class NoPeer final : public Peer {
  public:
    [[nodiscard]] Claims& claims() override { return claims_; }
    [[nodiscard]] base::Status put_token(std::string_view) override { return {}; }
    void wake() override {}
    void wake_after(base::Milliseconds) override {}
    [[nodiscard]] bool congested() override { return false; }

  private:
    Claims claims_;
};

class AmqpFeedbackTest : public ::testing::Test {
  protected:
    void SetUp() override {
        ASSERT_TRUE(stand_.state->registry.create({.id = "told"}));
        ASSERT_TRUE(stand_.queue.send("told", {.message_id = "m", .ack = hub::FeedbackWish::full}));
        ASSERT_TRUE(stand_.queue.purge("told"));
    }
    bool takes(FeedbackReceiver& receiver) {
        const auto batch = station_.take(receiver);
        return batch && batch->has_value();
    }

    test::AmqpStand stand_;
    NoPeer peer_;
    FeedbackStation station_{stand_.queue, "localhost", stand_.clock};
    FeedbackReceiver first_{station_, peer_, LinkEnd(nullptr)};
    FeedbackReceiver second_{station_, peer_, LinkEnd(nullptr)};
};

TEST_F(AmqpFeedbackTest, OneHasItUntilTheLockIsOver) {
    ASSERT_TRUE(takes(first_));
    EXPECT_TRUE(station_.holds(first_));
    stand_.clock.advance(base::Milliseconds(59'999));
    EXPECT_FALSE(takes(second_));
    stand_.clock.advance(base::Milliseconds(1));
    EXPECT_FALSE(station_.holds(first_));
    EXPECT_TRUE(takes(second_));
}

TEST_F(AmqpFeedbackTest, WhoLostItCompletesNothing) {
    ASSERT_TRUE(takes(first_));
    stand_.clock.advance(base::Milliseconds(60'000));
    ASSERT_TRUE(takes(second_));
    station_.settle(first_, Outcome::accepted);
    EXPECT_TRUE(station_.holds(second_));
    station_.settle(second_, Outcome::released);
    ASSERT_TRUE(takes(first_));
    station_.settle(first_, Outcome::accepted);
    EXPECT_FALSE(takes(second_));
}

TEST_F(AmqpFeedbackTest, WhoLostItMayTakeItAgain) {
    ASSERT_TRUE(takes(first_));
    stand_.clock.advance(base::Milliseconds(60'000));
    EXPECT_TRUE(takes(first_));
    EXPECT_TRUE(station_.holds(first_));
}

class AmqpDeviceboundSenderTest : public ::testing::Test {
  protected:
    void SetUp() override { ASSERT_TRUE(stand_.state->registry.create({.id = "told"})); }
    test::AmqpStand stand_;
    DeviceboundSender sender_{stand_.queue, [](std::string_view) {},
                              [this] { return stand_.may_send; }, stand_.clock};
    Message message_{.to = "/devices/told/messages/devicebound", .body = Binary{"x"}};
};

TEST_F(AmqpDeviceboundSenderTest, KeepsWithinTheTier) {
    EXPECT_TRUE(sender_.on_message(message_));
    stand_.may_send = false;
    const auto refused = sender_.on_message(message_);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().condition, "amqp:resource-limit-exceeded");
    EXPECT_EQ(stand_.queue.counters().sent, 1U);
}

TEST_F(AmqpDeviceboundSenderTest, SaysNumbersAndTruthInText) {
    message_.properties = {{"dose", std::uint64_t{40}},
                           {"change", std::int64_t{-2}},
                           {"stop", true},
                           {"at", Timestamp{0}},
                           {"name", std::string("x")}};
    const auto order = to_devicebound(message_, stand_.clock.wall());
    ASSERT_TRUE(order);
    const azure::PropertyBag said{{"dose", "40"},
                                  {"change", "-2"},
                                  {"stop", "true"},
                                  {"at", "1970-01-01T00:00:00.000Z"},
                                  {"name", "x"}};
    EXPECT_EQ(order->properties, said);
}

}  // namespace
}  // namespace mitral::cloud::amqp
