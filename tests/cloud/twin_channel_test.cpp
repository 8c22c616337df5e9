#include "cloud/hub/twin_channel.hpp"

#include <gtest/gtest.h>

#include <set>

#include "cloud/state.hpp"
#include "support/proves.hpp"
#include "support/temporary_directory.hpp"

namespace mitral::cloud::hub {
namespace {

class FakeChannel final : public mqtt::Channel {
  public:
    void publish(std::string_view topic, base::ByteView payload) override {
        published.emplace_back(topic, base::as_text(payload));
    }
    void publish_acknowledged(std::string_view, base::ByteView, mqtt::Delivery) override {}
    void close(std::string_view) override {}
    std::vector<std::pair<std::string, std::string>> published;
};

class FakeEndpoint final : public Endpoint {
  public:
    explicit FakeEndpoint(const std::string& device, const std::string& module = {})
        : client_(module.empty() ? device : device + "/" + module) {
        identity_.device.id = device;
        identity_.module = module;
    }
    const DeviceIdentity& identity() const override { return identity_; }
    const std::string& client_id() const override { return client_; }
    bool subscribed(std::string_view filter) const override { return filters.contains(filter); }
    FakeChannel& channel() override { return channel_; }

    std::set<std::string, std::less<>> filters{"$iothub/twin/res/#",
                                               "$iothub/twin/PATCH/properties/desired/#"};

  private:
    DeviceIdentity identity_;
    std::string client_;
    FakeChannel channel_;
};

class TwinChannelTest : public ::testing::Test {
  protected:
    TwinChannelTest() : state_(*State::open(directory_.path("state"), clock_)) {
        EXPECT_TRUE(state_->registry.create({.id = "dev-1"}));
        EXPECT_TRUE(state_->registry.create({.id = "dev-2"}));
    }

    // The answer to what the device publishes; empty without one.
    std::pair<std::string, std::string> ask(std::string_view topic, std::string_view body = "") {
        return ask(device_, topic, body);
    }
    std::pair<std::string, std::string> ask(FakeEndpoint& from, std::string_view topic,
                                            std::string_view body) {
        auto& published = from.channel().published;
        published.clear();
        EXPECT_TRUE(channel_.on_publish(from, {.topic = topic, .payload = base::as_bytes(body)}));
        return published.empty() ? std::pair<std::string, std::string>() : published.back();
    }
    std::pair<std::string, std::string> report(std::string_view body) {
        return ask("$iothub/twin/PATCH/properties/reported/?$rid=5", body);
    }

    test::TemporaryDirectory directory_;
    base::ManualClock clock_{base::WallTime{1'790'000'000'000}};
    std::unique_ptr<State> state_;
    TwinChannel channel_{state_->twins};
    FakeEndpoint device_{"dev-1"};
};

using Answer = std::pair<std::string, std::string>;

TEST_F(TwinChannelTest, AnswersGetAndReport) {
    constexpr auto get = "$iothub/twin/GET/?$rid=ab-1";
    EXPECT_EQ(ask(get, " "), (Answer{"$iothub/twin/res/200/?$rid=ab-1",
                                     R"({"desired":{"$version":1},"reported":{"$version":1}})"}));
    EXPECT_EQ(report(R"({"a":{"b":1},"c":null})"),
              (Answer{"$iothub/twin/res/204/?$rid=5&$version=2", ""}));
    EXPECT_EQ(ask(get).second,
              R"({"desired":{"$version":1},"reported":{"a":{"b":1},"$version":2}})");
    // "$rid" wherever it stands, and first in the answer.
    EXPECT_EQ(ask("$iothub/twin/GET/?x=y&$rid=7").first, "$iothub/twin/res/200/?$rid=7");
}

TEST_F(TwinChannelTest, KeepsDevicesAndModulesApart) {
    MITRAL_PROVES("CR 2.1");
    FakeEndpoint other("dev-2");
    FakeEndpoint module("dev-1", "m");
    ASSERT_TRUE(state_->registry.modules().create({.device = "dev-1", .id = "m"}));
    ASSERT_EQ(report(R"({"a":1})").first, "$iothub/twin/res/204/?$rid=5&$version=2");
    for (auto* stranger : {&other, &module})
        EXPECT_EQ(ask(*stranger, "$iothub/twin/GET/?$rid=1", "").second,
                  R"({"desired":{"$version":1},"reported":{"$version":1}})");
}

TEST_F(TwinChannelTest, TellsWhyAPatchIsRefused) {
    for (const auto* bad : {"[]", "x", R"({"a.b":1})", R"({"a":4503599627370496})"}) {
        const auto [topic, body] = report(bad);
        EXPECT_EQ(topic, "$iothub/twin/res/400/?$rid=5") << bad;
        EXPECT_NE(body.find(R"("errorCode":400011)"), std::string::npos) << body;
        EXPECT_NE(body.find(R"("trackingId":)"), std::string::npos) << body;
    }
    EXPECT_EQ(state_->twins.find({"dev-1"})->reported.version, 1);
    ASSERT_TRUE(state_->registry.remove("dev-1", "*"));
    EXPECT_EQ(report("{}").first, "$iothub/twin/res/404/?$rid=5");
}

TEST_F(TwinChannelTest, SaysNothingWithoutASubscription) {
    const auto update = state_->twins.update({"dev-1"}, {.desired = R"({"a":1})"}, "*");
    device_.filters.clear();
    EXPECT_EQ(report(R"({"a":1})"), Answer());
    EXPECT_EQ(state_->twins.find({"dev-1"})->reported.version, 2);
    TwinChannel::push_desired(device_, *update);
    EXPECT_TRUE(device_.channel().published.empty());
}

TEST_F(TwinChannelTest, PushesThePatchWithItsVersion) {
    const auto update =
        state_->twins.update({"dev-1"}, {.tags = "{}", .desired = R"({"a":1,"b":null})"}, "*");
    TwinChannel::push_desired(device_, *update);
    const std::vector<Answer> pushed{
        {"$iothub/twin/PATCH/properties/desired/?$version=2", R"({"a":1,"b":null,"$version":2})"}};
    EXPECT_EQ(device_.channel().published, pushed);
    const auto tags = state_->twins.update({"dev-1"}, {.tags = R"({"a":1})"}, "*");
    TwinChannel::push_desired(device_, *tags);
    EXPECT_EQ(device_.channel().published, pushed);
}

TEST_F(TwinChannelTest, ClosesOnTopicsThatItDoesNotKnow) {
    for (const auto* topic : {"$iothub/twin/PUT/?$rid=1", "$iothub/twin/GET",
                              "$iothub/twin/PATCH/properties/desired/?$rid=1"})
        EXPECT_FALSE(channel_.on_publish(device_, {.topic = topic})) << topic;
    const auto long_id = "$iothub/twin/GET/?$rid=" + std::string(600, 'x');
    EXPECT_FALSE(channel_.on_publish(device_, {.topic = long_id}));
}

}  // namespace
}  // namespace mitral::cloud::hub
