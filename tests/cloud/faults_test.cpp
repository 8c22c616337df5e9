#include "cloud/faults.hpp"

#include <gtest/gtest.h>

#include "cloud/error.hpp"
#include "cloud/faults/front.hpp"
#include "cloud/mqtt/held_acknowledgements.hpp"
#include "support/proves.hpp"

namespace mitral::cloud {
namespace {

using base::Milliseconds;
using mqtt::ConnectCode;

faults::Order order(const std::string& name,
                    const std::map<std::string, std::string>& parameters = {}) {
    auto read = faults::read_order(name, parameters);
    EXPECT_TRUE(read) << read.error().message();
    return read.value_or(faults::Order{});
}

TEST(FaultCatalogue, StandsInTheOrderOfItsEnumAndFindsEachName) {
    for (const auto& entry : faults::catalogue()) {
        EXPECT_EQ(faults::entry_of(entry.fault).name, entry.name);
        EXPECT_EQ(*faults::find_fault(entry.name), entry.fault);
    }
    EXPECT_EQ(faults::find_fault("Hub-Away").error().code, CloudError::not_found);
}

TEST(FaultCatalogue, FillsInWhatIsNotSaid) {
    const auto read = order("throttle-telemetry", {{"queue_ms", "0"}, {"seconds", "9"}});
    EXPECT_EQ(read.number("per_second"), 10);
    EXPECT_EQ(read.number("queue_ms"), 0);
    EXPECT_EQ(read.duration, base::Seconds(9));
    EXPECT_FALSE(read.count);
}

TEST(FaultCatalogue, RefusesWhatItDoesNotKnow) {
    MITRAL_PROVES("CR 3.5");
    using Parameters = std::map<std::string, std::string>;
    for (const auto& wrong : {Parameters{},
                              {{"delay_ms", ""}},
                              {{"delay_ms", "600001"}},
                              {{"delay_ms", "+5"}},
                              {{"delay_ms", "99999999999999999999"}},
                              {{"delay_ms", "5"}, {"hub", "h"}},
                              {{"delay_ms", "5"}, {"seconds", "604801"}}})
        EXPECT_EQ(faults::read_order("slow-puback", wrong).error().code,
                  CloudError::invalid_argument);
    EXPECT_TRUE(faults::read_order("slow-puback", {{"delay_ms", "600000"}}));  // the control
    EXPECT_FALSE(faults::read_order("latency", {}));
    EXPECT_FALSE(faults::read_order("latency", {{"up_ms", "5"}, {"port", "both"}}));
    EXPECT_TRUE(faults::read_order("latency", {{"up_ms", "5"}, {"port", "mqtt"}}));
    EXPECT_FALSE(faults::read_order("half-open", {{"device", "a/b"}}));
    EXPECT_FALSE(faults::read_order("clock-off", {{"offset_s", "-400000000"}}));
    EXPECT_TRUE(faults::read_order("clock-off", {{"offset_s", "-300"}}));
    EXPECT_FALSE(faults::read_order("dps-reassigning", {{"hub", "a b"}}));
    EXPECT_FALSE(faults::read_order("dps-reassigning", {{"hub", std::string(261, 'a')}}));
}

class FaultsTest : public testing::Test {
  protected:
    void turn() { ASSERT_TRUE(loop_->run_once(Milliseconds(20))); }

    std::unique_ptr<base::EventLoop> loop_ = *base::EventLoop::create();
    base::SystemClock clock_;
    mqtt::Roster roster_;
    Faults faults_{*loop_, clock_, roster_};
};

TEST_F(FaultsTest, StrikesAsOftenAsItWasToldAndRemembersIt) {
    EXPECT_FALSE(faults_.strike(Fault::daily_quota));  // the control
    faults_.set(order("daily-quota", {{"count", "2"}}));
    EXPECT_TRUE(faults_.strike(Fault::daily_quota));
    EXPECT_EQ(faults_.row(Fault::daily_quota).order->count, 1U);
    EXPECT_TRUE(faults_.strike(Fault::daily_quota));
    EXPECT_FALSE(faults_.strike(Fault::daily_quota));
    faults_.set(order("daily-quota"));
    EXPECT_TRUE(faults_.strike(Fault::daily_quota));
    EXPECT_TRUE(faults_.clear(Fault::daily_quota));
    EXPECT_FALSE(faults_.clear(Fault::daily_quota));
    EXPECT_FALSE(faults_.strike(Fault::daily_quota));
    EXPECT_EQ(faults_.row(Fault::daily_quota).fired, 3U);
    EXPECT_EQ(faults_.row(Fault::slow_puback).fired, 0U);
}

TEST_F(FaultsTest, EndsAfterItsTimeAndANewOrderStartsTheTimeAfresh) {
    auto brief = order("throttle-connects");
    brief.duration = base::Seconds(0);
    faults_.set(brief);
    faults_.set(order("throttle-connects", {{"seconds", "600"}}));
    turn();
    EXPECT_NE(faults_.in_force(Fault::throttle_connects), nullptr);
    EXPECT_GT(*faults_.row(Fault::throttle_connects).ends_in, Milliseconds(500'000));
    faults_.set(brief);
    turn();
    EXPECT_EQ(faults_.in_force(Fault::throttle_connects), nullptr);
}

TEST_F(FaultsTest, AMovedDeviceLivesAtOneHubUntilItRegistersAgain) {
    EXPECT_TRUE(faults_.lives_at("dev", "a:1"));
    EXPECT_FALSE(faults_.move("dev"));
    faults_.set(order("dps-reassigning", {{"hub", "b:2"}}));
    EXPECT_EQ(faults_.move("dev"), "b:2");
    EXPECT_FALSE(faults_.lives_at("dev", "a:1"));
    EXPECT_FALSE(faults_.lives_at("dev", "b:1"));
    EXPECT_TRUE(faults_.lives_at("dev", "B:2"));
    EXPECT_TRUE(faults_.lives_at("other", "a:1"));
    faults_.clear(Fault::dps_reassigning);
    EXPECT_FALSE(faults_.lives_at("dev", "a:1"));
    EXPECT_FALSE(faults_.move("dev"));
    EXPECT_TRUE(faults_.lives_at("dev", "a:1"));
}

TEST_F(FaultsTest, AfterAFailoverAllLiveAtTheOtherHub) {
    EXPECT_TRUE(faults_.lives_at("dev", "a:1"));
    faults_.set(order("hub-failover", {{"hub", "b:2"}}));
    EXPECT_FALSE(faults_.lives_at("dev", "a:1"));
    EXPECT_TRUE(faults_.lives_at("dev", "b:2"));
    EXPECT_EQ(faults_.move("dev"), "b:2");
    faults_.clear(Fault::hub_failover);
    EXPECT_TRUE(faults_.lives_at("dev", "a:1"));
}

TEST_F(FaultsTest, ATokenExpiresForOneDeviceOrForAll) {
    EXPECT_FALSE(faults_.expires_tokens_of("a"));
    faults_.set(order("expired-tokens", {{"device", "a"}, {"count", "2"}}));
    EXPECT_FALSE(faults_.expires_tokens_of("b"));
    EXPECT_TRUE(faults_.expires_tokens_of("a"));
    EXPECT_TRUE(faults_.expires_tokens_of("a"));
    EXPECT_FALSE(faults_.expires_tokens_of("a"));
    faults_.set(order("expired-tokens"));
    EXPECT_TRUE(faults_.expires_tokens_of("b"));
}

TEST_F(FaultsTest, PutsTheClockWrongAndRightAgain) {
    base::Seconds offset{0};
    faults_.connect({.set_clock = [&](base::Seconds by) { offset = by; }});
    faults_.set(order("clock-off", {{"offset_s", "-7200"}}));
    EXPECT_EQ(offset, base::Seconds(-7200));
    faults_.clear(Fault::clock_off);
    EXPECT_EQ(offset, base::Seconds(0));
}

TEST_F(FaultsTest, ARollOverThatFailsIsNotOn) {
    std::vector<std::pair<bool, bool>> used;
    bool works = true;
    faults_.connect({.use_root = [&](bool other, bool fresh) -> base::Status {
        used.emplace_back(other, fresh);
        if (works)
            return {};
        return base::fail(CloudError::certificate, "no disk");
    }});
    EXPECT_TRUE(faults_.set(order("certificate-rollover", {{"fresh", "1"}})));
    EXPECT_TRUE(faults_.clear(Fault::certificate_rollover));
    EXPECT_EQ(used, (std::vector<std::pair<bool, bool>>{{true, true}, {false, false}}));
    works = false;
    EXPECT_FALSE(faults_.set(order("certificate-rollover")));
    EXPECT_EQ(faults_.in_force(Fault::certificate_rollover), nullptr);
}

TEST_F(FaultsTest, RemembersWhatStruckInOrder) {
    using faults::FaultEvent;
    faults_.set(order("loss", {{"count", "2"}}));
    EXPECT_TRUE(faults_.strike_by_chance(Fault::loss));
    EXPECT_TRUE(faults_.strike_by_chance(Fault::loss));
    const auto& records = faults_.log().records();
    ASSERT_EQ(records.size(), 3U);
    EXPECT_EQ(records[0].event, FaultEvent::on);
    EXPECT_EQ(records[1].event, FaultEvent::struck);
    EXPECT_EQ(records[1].times, 2U);
    EXPECT_EQ(records[2].event, FaultEvent::off);
    EXPECT_EQ(records[2].number, 2U);
}

// A service behind the front that takes everybody and everything.
class Willing final : public mqtt::Service {
  public:
    class Session final : public mqtt::Session {
      public:
        explicit Session(Willing& service) : service_(service) {}
        base::Status on_publish(const mqtt::Publish&) override {
            ++service_.published;
            return {};
        }
        base::Result<std::uint8_t> on_subscribe(const mqtt::Subscription&) override { return 1; }
        void on_unsubscribe(std::string_view) override {}
        void on_end(bool) override {}

      private:
        Willing& service_;
    };
    mqtt::Admission admit(const mqtt::Connect&, mqtt::Channel&) override {
        return {.code = ConnectCode::accepted, .session = std::make_unique<Session>(*this)};
    }
    int published = 0;
};

class NoChannel final : public mqtt::Channel {
  public:
    void publish(std::string_view, base::ByteView) override {}
    void publish_acknowledged(std::string_view, base::ByteView, mqtt::Delivery) override {}
    void close(std::string_view) override {}
};

class FaultFrontTest : public FaultsTest {
  protected:
    mqtt::Admission admit(std::string_view user = "hub/dev/?api-version=2021-04-12") {
        mqtt::Connect connect;
        connect.client_id = "dev";
        connect.user_name = user;
        return front_.admit(connect, channel_);
    }

    NoChannel channel_;
    Willing willing_;
    base::ManualClock manual_{base::WallTime{1'790'000'000'000}};
    faults::Front front_{willing_, faults_, manual_};
};

TEST_F(FaultFrontTest, RefusesWithTheCodesOfAzure) {
    const std::string_view dps = "0ne/registrations/dev/api-version=2019-03-31";
    EXPECT_EQ(admit().code, ConnectCode::accepted);
    faults_.set(order("throttle-connects", {{"count", "1"}}));
    EXPECT_EQ(admit(dps).code, ConnectCode::accepted);
    EXPECT_EQ(admit().code, ConnectCode::server_unavailable);
    faults_.set(order("expired-tokens", {{"count", "1"}}));
    EXPECT_EQ(admit().code, ConnectCode::not_authorised);
    faults_.set(order("dps-unreachable", {{"count", "1"}}));
    EXPECT_EQ(admit().code, ConnectCode::accepted);
    EXPECT_EQ(admit(dps).code, ConnectCode::server_unavailable);
    EXPECT_EQ(admit(dps).code, ConnectCode::accepted);
}

TEST_F(FaultFrontTest, ThrottlesTheHubAsAWhole) {
    const auto first = admit();
    const auto second = admit();
    const mqtt::Publish message{.qos = 1};
    faults_.set(order("throttle-telemetry", {{"per_second", "10"}, {"queue_ms", "150"}}));
    ASSERT_TRUE(first.session->on_publish(message));
    EXPECT_EQ(first.session->acknowledgement_delay(), Milliseconds(0));
    ASSERT_TRUE(second.session->on_publish(message));
    EXPECT_EQ(second.session->acknowledgement_delay(), Milliseconds(100));
    EXPECT_EQ(first.session->on_publish(message).error().code, CloudError::throttled);
    EXPECT_EQ(willing_.published, 2);
    EXPECT_EQ(faults_.row(Fault::throttle_telemetry).fired, 2U);
    manual_.advance(Milliseconds(200));
    ASSERT_TRUE(first.session->on_publish(message));
    EXPECT_EQ(first.session->acknowledgement_delay(), Milliseconds(0));
    faults_.clear(Fault::throttle_telemetry);
    ASSERT_TRUE(first.session->on_publish(message));
    EXPECT_EQ(first.session->acknowledgement_delay(), Milliseconds(0));
}

TEST_F(FaultFrontTest, HoldsBackOnlyWhatIsAcknowledged) {
    const auto device = admit();
    faults_.set(order("slow-puback", {{"delay_ms", "70"}, {"count", "1"}}));
    ASSERT_TRUE(device.session->on_publish({.qos = 0}));
    EXPECT_EQ(device.session->acknowledgement_delay(), Milliseconds(0));
    ASSERT_TRUE(device.session->on_publish({.qos = 1}));
    EXPECT_EQ(device.session->acknowledgement_delay(), Milliseconds(70));
    ASSERT_TRUE(device.session->on_publish({.qos = 1}));
    EXPECT_EQ(device.session->acknowledgement_delay(), Milliseconds(0));
}

TEST_F(FaultFrontTest, LosesAnswersOrWholeMessagesAndOnlyTelemetry) {
    const auto device = admit();
    const mqtt::Publish message{.topic = "devices/dev/messages/events/", .qos = 1};
    faults_.set(order("loss", {{"count", "1"}}));
    ASSERT_TRUE(device.session->on_publish({.topic = "$iothub/twin/GET/?$rid=1", .qos = 1}));
    EXPECT_EQ(device.session->acknowledgement_delay(), Milliseconds(0));
    ASSERT_TRUE(device.session->on_publish(message));
    EXPECT_EQ(device.session->acknowledgement_delay(), std::nullopt);
    EXPECT_EQ(willing_.published, 2);
    faults_.set(order("loss", {{"count", "1"}, {"of", "message"}}));
    ASSERT_TRUE(device.session->on_publish(message));
    EXPECT_EQ(device.session->acknowledgement_delay(), std::nullopt);
    EXPECT_EQ(willing_.published, 2);
    ASSERT_TRUE(device.session->on_publish(message));
    EXPECT_EQ(device.session->acknowledgement_delay(), Milliseconds(0));
    EXPECT_EQ(willing_.published, 3);
}

TEST_F(FaultsTest, HeldAcknowledgementsLeaveInOrder) {
    std::vector<int> left;
    base::ManualClock manual(base::WallTime{1'790'000'000'000});
    mqtt::HeldAcknowledgements held(*loop_, manual, [&](std::uint16_t id) { left.push_back(id); });
    held.hold(1, Milliseconds(2));
    held.hold(2, Milliseconds(0));
    held.hold(3, Milliseconds(1'000));
    turn();
    EXPECT_TRUE(left.empty());
    manual.advance(Milliseconds(2));
    turn();
    EXPECT_EQ(left, (std::vector<int>{1, 2}));
    EXPECT_FALSE(held.empty());
}

}  // namespace
}  // namespace mitral::cloud
