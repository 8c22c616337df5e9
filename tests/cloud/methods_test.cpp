#include "cloud/hub/methods.hpp"

#include <gtest/gtest.h>

#include "cloud/cloud_endpoint.hpp"
#include "cloud/error.hpp"
#include "support/proves.hpp"

namespace mitral::cloud::hub {
namespace {

using test::FakeEndpoint;

class MethodsTest : public ::testing::Test {
  protected:
    // What became of one call.
    struct Outcome {
        bool done = false;
        base::Result<MethodAnswer> result = MethodAnswer{};
    };
    std::shared_ptr<Outcome> invoke(MethodCall call) {
        auto outcome = std::make_shared<Outcome>();
        channel_.invoke(std::move(call), [outcome](base::Result<MethodAnswer> result) {
            EXPECT_FALSE(outcome->done);
            outcome->done = true;
            outcome->result = std::move(result);
        });
        return outcome;
    }
    static MethodCall call(std::string name = "reboot") {
        return {.client_id = "dev-01", .name = std::move(name), .payload = "{\"a\":1}"};
    }
    void listen(FakeEndpoint& endpoint) {
        endpoint.filters.insert("$iothub/methods/POST/#");
        channel_.on_ready(endpoint);
    }
    base::Status answer(FakeEndpoint& from, std::string_view topic, std::string_view body = "{}") {
        return channel_.on_publish(from, {.topic = topic, .payload = base::as_bytes(body)});
    }

    std::unique_ptr<base::EventLoop> loop_ = *base::EventLoop::create();
    MethodChannel channel_{*loop_};
    FakeEndpoint device_{"dev-01"};
};

TEST_F(MethodsTest, CarriesACallAndItsAnswer) {
    listen(device_);
    const auto outcome = invoke(call("say hé/llo?#"));
    ASSERT_EQ(device_.sent.size(), 1U);
    EXPECT_EQ(device_.sent[0].topic, "$iothub/methods/POST/say%20h%C3%A9%2Fllo%3F%23/?$rid=1");
    EXPECT_EQ(device_.sent[0].payload, "{\"a\":1}");
    EXPECT_EQ(device_.sent[0].delivery.packet_id, 0);
    EXPECT_FALSE(outcome->done);
    ASSERT_TRUE(answer(device_, "$iothub/methods/res/-7/?$rid=1&x=y", "[2]"));
    ASSERT_TRUE(outcome->done && outcome->result);
    EXPECT_EQ(outcome->result->status, -7);
    EXPECT_EQ(outcome->result->payload, "[2]");
    ASSERT_TRUE(answer(device_, "$iothub/methods/res/200/?$rid=1"));  // a second one is nobody's
    EXPECT_EQ(channel_.in_flight(), 0U);
}

TEST_F(MethodsTest, KeepsSeveralApart) {
    listen(device_);
    const auto first = invoke(call());
    const auto second = invoke(call());
    ASSERT_TRUE(answer(device_, "$iothub/methods/res/202/?$rid=2"));
    ASSERT_TRUE(answer(device_, "$iothub/methods/res/201/?$rid=1"));
    EXPECT_EQ(first->result->status, 201);
    EXPECT_EQ(second->result->status, 202);
}

TEST_F(MethodsTest, SaysSoWhenNobodyListens) {
    channel_.on_ready(device_);  // connected, but not subscribed
    EXPECT_EQ(invoke(call())->result.error().code, CloudError::not_online);
    listen(device_);
    channel_.on_end(device_);
    EXPECT_EQ(invoke(call())->result.error().code, CloudError::not_online);
}

TEST_F(MethodsTest, WaitsForAClientThatComes) {
    auto patient = call();
    patient.connect_timeout = base::Seconds(300);
    const auto outcome = invoke(patient);
    EXPECT_FALSE(outcome->done);
    channel_.on_ready(device_);
    EXPECT_TRUE(device_.sent.empty());
    listen(device_);
    EXPECT_EQ(device_.sent.size(), 1U);
    channel_.on_ready(device_);
    EXPECT_EQ(device_.sent.size(), 1U);
}

TEST_F(MethodsTest, GivesUpInTime) {
    listen(device_);
    auto hasty = call();
    hasty.response_timeout = base::Seconds(0);
    const auto outcome = invoke(hasty);
    while (!outcome->done)
        ASSERT_TRUE(loop_->run_once(base::Milliseconds(1'000)));
    EXPECT_EQ(outcome->result.error().code, CloudError::timed_out);
    ASSERT_TRUE(answer(device_, "$iothub/methods/res/200/?$rid=1"));  // too late, and harmless
}

TEST_F(MethodsTest, TakesTheAnswerOnALaterConnection) {
    listen(device_);
    const auto outcome = invoke(call());
    channel_.on_end(device_);
    FakeEndpoint again{"dev-01"};
    listen(again);
    EXPECT_TRUE(again.sent.empty());  // it has the call already
    ASSERT_TRUE(answer(again, "$iothub/methods/res/200/?$rid=1"));
    EXPECT_TRUE(outcome->done);
}

TEST_F(MethodsTest, NobodyAnswersForAnother) {
    MITRAL_PROVES("T-ID-02", "CR 2.1");
    listen(device_);
    FakeEndpoint other{"dev-010"};
    listen(other);
    FakeEndpoint module{"dev-01", "m"};
    listen(module);
    const auto outcome = invoke(call());
    EXPECT_TRUE(other.sent.empty());
    EXPECT_TRUE(module.sent.empty());
    ASSERT_TRUE(answer(other, "$iothub/methods/res/200/?$rid=1"));
    ASSERT_TRUE(answer(module, "$iothub/methods/res/200/?$rid=1"));
    EXPECT_FALSE(outcome->done);
    ASSERT_TRUE(answer(device_, "$iothub/methods/res/200/?$rid=1"));
    EXPECT_TRUE(outcome->done);
}

TEST_F(MethodsTest, BoundsAnswersAndCalls) {
    MITRAL_PROVES("T-DOS-04");
    listen(device_);
    const auto large = invoke(call());
    ASSERT_TRUE(answer(device_, "$iothub/methods/res/200/?$rid=1",
                       std::string(max_method_payload + 1, '1')));
    EXPECT_EQ(large->result.error().code, CloudError::too_large);
    for (std::size_t i = 0; i < max_method_calls; ++i)
        EXPECT_FALSE(invoke(call())->done);
    EXPECT_EQ(invoke(call())->result.error().code, CloudError::throttled);
}

TEST(MethodResponseTopic, RefusesWhatIsNone) {
    for (const auto* topic :
         {"", "$iothub/methods/res/", "$iothub/methods/res/200", "$iothub/methods/res/200/?rid=1",
          "$iothub/methods/res//?$rid=1", "$iothub/methods/res/2x/?$rid=1",
          "$iothub/methods/res/200/?$rid=", "$iothub/methods/res/200/?$rid=1x",
          "$iothub/methods/res/99999999999/?$rid=1", "$iothub/methods/res/1/?$rid=-1"})
        EXPECT_FALSE(parse_method_response(topic)) << topic;
    EXPECT_EQ(parse_method_response("$iothub/methods/res/0/?$rid=18446744073709551615")->request,
              18446744073709551615ULL);
}

}  // namespace
}  // namespace mitral::cloud::hub
