#include <gtest/gtest.h>

#include "cloud/cloud_endpoint.hpp"
#include "cloud/error.hpp"
#include "cloud/hub/devicebound_channel.hpp"
#include "cloud/state.hpp"
#include "support/proves.hpp"
#include "support/temporary_directory.hpp"

namespace mitral::cloud::hub {
namespace {

using test::FakeEndpoint;

class DeviceboundTest : public ::testing::Test {
  protected:
    DeviceboundTest() {
        for (const auto* id : {"dev-01", "dev-010"})
            EXPECT_TRUE(state_->registry.create({.id = id}));
        subscribe(device_);
    }
    static void subscribe(FakeEndpoint& endpoint) {
        endpoint.filters.insert("devices/" + endpoint.who.device.id + "/messages/devicebound/#");
    }
    base::Result<std::int64_t> send(std::string body, FeedbackWish ack = FeedbackWish::full) {
        return queue_.send("dev-01", {.message_id = "id of " + body, .body = body, .ack = ack});
    }
    std::vector<std::string> outcomes() {
        std::vector<std::string> found;
        const auto records = queue_.feedback(0, 100);
        EXPECT_TRUE(records);
        for (const auto& record : *records)
            found.push_back(record.message_id + ": " + record.outcome);
        return found;
    }
    std::size_t pending() { return *queue_.pending("dev-01"); }
    using Texts = std::vector<std::string>;

    mitral::test::TemporaryDirectory directory_;
    base::ManualClock clock_{base::WallTime{1'790'000'000'000}};
    std::unique_ptr<State> state_ = *State::open(directory_.path("state"), clock_);
    DeviceboundQueue queue_{state_->database, clock_};
    DeviceboundChannel channel_{queue_};
    FakeEndpoint device_{"dev-01"};
};

TEST_F(DeviceboundTest, TakesInOrderAndSettles) {
    ASSERT_TRUE(send("a") && send("b") && send("c"));
    const auto first = *queue_.take("dev-01");
    EXPECT_EQ(first->message.body, "a");
    EXPECT_EQ(first->deliveries, 1);
    const auto second = *queue_.take("dev-01");
    const auto third = *queue_.take("dev-01");
    EXPECT_FALSE(*queue_.take("dev-01"));
    EXPECT_TRUE(queue_.complete("dev-01", first->lock_token));
    EXPECT_TRUE(queue_.reject("dev-01", second->lock_token));
    EXPECT_TRUE(queue_.abandon("dev-01", third->lock_token));
    EXPECT_EQ((*queue_.take("dev-01"))->message.body, "c");
    EXPECT_EQ(queue_.complete("dev-01", third->lock_token).error().code, CloudError::stale_etag);
    EXPECT_EQ(outcomes(), (Texts{"id of a: Success", "id of b: Rejected"}));
}

TEST_F(DeviceboundTest, ALockEndsAfterAMinute) {
    ASSERT_TRUE(send("a"));
    const auto first = *queue_.take("dev-01");
    clock_.advance(std::chrono::seconds(59));
    EXPECT_FALSE(*queue_.take("dev-01"));
    clock_.advance(std::chrono::seconds(1));
    const auto again = *queue_.take("dev-01");
    ASSERT_TRUE(again);
    EXPECT_EQ(again->deliveries, 2);
    EXPECT_FALSE(queue_.complete("dev-01", first->lock_token));
    EXPECT_TRUE(queue_.complete("dev-01", again->lock_token));
}

TEST_F(DeviceboundTest, GivesUpAfterTooManyDeliveriesAndAfterItsTime) {
    ASSERT_TRUE(send("often"));
    for (int i = 0; i < 10; ++i) {
        const auto delivery = *queue_.take("dev-01");
        ASSERT_TRUE(delivery) << i;
        ASSERT_TRUE(queue_.abandon("dev-01", delivery->lock_token));
    }
    EXPECT_FALSE(*queue_.take("dev-01"));
    ASSERT_TRUE(send("long"));
    ASSERT_TRUE(queue_.send(
        "dev-01",
        {.message_id = "short", .ack = FeedbackWish::negative, .time_to_live = base::Seconds(5)}));
    clock_.advance(std::chrono::seconds(5));
    EXPECT_EQ(outcomes(), (Texts{"id of often: DeliveryCountExceeded", "short: Expired"}));
    EXPECT_EQ(pending(), 1U);
    clock_.advance(std::chrono::hours(1));
    EXPECT_EQ(outcomes().back(), "id of long: Expired");
}

TEST_F(DeviceboundTest, TellsWhatWasAskedForOnly) {
    for (const auto wish : {FeedbackWish::none, FeedbackWish::positive, FeedbackWish::negative}) {
        const auto name = std::to_string(static_cast<int>(wish));
        ASSERT_TRUE(send("good" + name, wish));
        ASSERT_TRUE(queue_.complete("dev-01", (*queue_.take("dev-01"))->lock_token));
        ASSERT_TRUE(send("bad" + name, wish));
        ASSERT_TRUE(queue_.reject("dev-01", (*queue_.take("dev-01"))->lock_token));
    }
    EXPECT_EQ(outcomes(), (Texts{"id of good1: Success", "id of bad2: Rejected"}));
}

TEST_F(DeviceboundTest, IsBounded) {
    MITRAL_PROVES("T-DOS-04");
    EXPECT_EQ(send(std::string(64 * 1024, 'x')).error().code, CloudError::too_large);
    EXPECT_EQ(queue_.send("nobody", {}).error().code, CloudError::not_found);
    EXPECT_EQ(queue_.send("dev-01", {.time_to_live = base::Seconds(0)}).error().code,
              CloudError::invalid_argument);
    for (int i = 0; i < 50; ++i)
        ASSERT_TRUE(send(std::to_string(i)));
    EXPECT_EQ(send("one too many").error().code, CloudError::queue_full);
    EXPECT_EQ(*queue_.purge("dev-01"), 50U);
    EXPECT_EQ(outcomes().back(), "id of 49: Purged");
    EXPECT_TRUE(send("room again"));
}

TEST_F(DeviceboundTest, SurvivesARestartWithoutItsLocks) {
    const std::string bytes("\0\xff\n", 3);
    ASSERT_TRUE(send(bytes));
    ASSERT_TRUE(*queue_.take("dev-01"));
    state_.reset();
    const auto again = *State::open(directory_.path("state"), clock_);
    DeviceboundQueue queue(again->database, clock_);
    ASSERT_TRUE(queue.release_all());
    const auto delivery = *queue.take("dev-01");
    ASSERT_TRUE(delivery);
    EXPECT_EQ(delivery->message.body, bytes);
}

TEST_F(DeviceboundTest, GoesWithItsDevice) {
    ASSERT_TRUE(send("a"));
    ASSERT_TRUE(state_->registry.update({.id = "dev-01", .enabled = true}, "*"));
    EXPECT_EQ(pending(), 1U);
    ASSERT_TRUE(state_->registry.remove("dev-01", "*"));
    EXPECT_EQ(pending(), 0U);
}

TEST_F(DeviceboundTest, ArrivesOverMqttAndIsCompletedByItsPuback) {
    channel_.on_ready(device_);
    ASSERT_TRUE(queue_.send("dev-01", {.message_id = "m 1",
                                       .content_type = "a/b",
                                       .properties = {{"key&", "v/1"}},
                                       .body = "hello",
                                       .ack = FeedbackWish::positive}));
    channel_.wake("dev-01");
    ASSERT_EQ(device_.sent.size(), 1U);
    EXPECT_TRUE(device_.sent[0].topic.starts_with(
        "devices/dev-01/messages/devicebound/%24.mid=m%201&"
        "%24.to=%2Fdevices%2Fdev-01%2Fmessages%2Fdevicebound&%24.ct=a%2Fb&%24.exp="))
        << device_.sent[0].topic;
    EXPECT_TRUE(device_.sent[0].topic.ends_with("&iothub-ack=positive&key%26=v%2F1"));
    EXPECT_EQ(device_.sent[0].payload, "hello");
    const auto id = device_.sent[0].delivery.packet_id;
    ASSERT_NE(id, 0);
    channel_.on_acknowledged(device_, static_cast<std::uint16_t>(id + 1));
    EXPECT_EQ(pending(), 1U);
    channel_.on_acknowledged(device_, id);
    EXPECT_EQ(pending(), 0U);
    EXPECT_EQ(outcomes(), Texts{"m 1: Success"});
}

TEST_F(DeviceboundTest, ComesAgainWhenItWasNotAcknowledged) {
    channel_.on_ready(device_);
    ASSERT_TRUE(send("a") && send("b"));
    channel_.wake("dev-01");
    channel_.on_acknowledged(device_, device_.sent[0].delivery.packet_id);
    channel_.on_end(device_);
    FakeEndpoint again{"dev-01"};
    subscribe(again);
    channel_.on_ready(again);
    ASSERT_EQ(again.sent.size(), 1U);
    EXPECT_EQ(again.sent[0].payload, "b");
    EXPECT_EQ(again.sent[0].delivery.packet_id, device_.sent[1].delivery.packet_id);
    EXPECT_TRUE(again.sent[0].delivery.duplicate);
    channel_.on_acknowledged(device_, again.sent[0].delivery.packet_id);  // the old connection
    EXPECT_EQ(pending(), 1U);
}

TEST_F(DeviceboundTest, WhatWasSentBeforeTheSubscriptionIsNotDelivered) {
    ASSERT_TRUE(send("before"));
    channel_.on_ready(device_);
    EXPECT_TRUE(device_.sent.empty());
    channel_.on_end(device_);
    ASSERT_TRUE(send("away"));
    channel_.on_ready(device_);  // the session goes on
    ASSERT_EQ(device_.sent.size(), 1U);
    EXPECT_EQ(device_.sent[0].payload, "away");
    channel_.on_end(device_);
    device_.filters.clear();  // a clean session
    channel_.on_ready(device_);
    subscribe(device_);
    channel_.on_ready(device_);
    EXPECT_EQ(device_.sent.size(), 1U);
    EXPECT_EQ(pending(), 2U);  // HTTP still finds them
}

TEST_F(DeviceboundTest, StaysWithItsDevice) {
    MITRAL_PROVES("T-ID-02", "CR 2.1");
    FakeEndpoint sibling{"dev-010"};
    subscribe(sibling);
    sibling.filters.insert("devices/dev-01/messages/devicebound/#");
    channel_.on_ready(sibling);
    ASSERT_TRUE(send("a"));
    channel_.wake("dev-01");
    channel_.wake("dev-010");
    EXPECT_TRUE(sibling.sent.empty());
    const auto delivery = *queue_.take("dev-01");
    EXPECT_FALSE(queue_.complete("dev-010", delivery->lock_token));
    EXPECT_FALSE(*queue_.take("dev-010"));
    EXPECT_TRUE(queue_.complete("dev-01", delivery->lock_token));
    EXPECT_FALSE(channel_.owns_filter(sibling.who, "devices/dev-01/messages/devicebound/#"));
}

}  // namespace
}  // namespace mitral::cloud::hub
