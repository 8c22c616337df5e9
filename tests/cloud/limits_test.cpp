#include <gtest/gtest.h>

#include "cloud/api/limits_api.hpp"
#include "cloud/error.hpp"
#include "cloud/limits/gate.hpp"
#include "support/proves.hpp"
#include "support/temporary_directory.hpp"

namespace mitral::cloud::limits {
namespace {

using base::Milliseconds;

constexpr std::int64_t day_ms = 86'400'000;
constexpr base::WallTime noon{20'000 * day_ms + day_ms / 2};

TEST(Tier, HasTheFiguresOfTheDocumentation) {
    const auto s1 = *figures_of("S1", 1);
    EXPECT_EQ(s1.messages_a_day, 400'000);
    EXPECT_EQ(s1.meter_bytes, 4'096);
    EXPECT_EQ(s1.sends_a_second, 100);  // 12 a unit, but 100 at least
    EXPECT_EQ(s1.twin_updates_a_second, 50);
    EXPECT_EQ(figures_of("s1", 20)->sends_a_second, 240);
    EXPECT_EQ(figures_of("S2", 3)->connects_a_second, 360);
    EXPECT_EQ(figures_of("S2", 1)->twin_reads_a_second, 100);
    EXPECT_EQ(figures_of("S2", 20)->twin_reads_a_second, 200);
    EXPECT_EQ(figures_of("S3", 2)->queries_a_minute, 2'000);
    EXPECT_EQ(figures_of("F1", 1)->messages_a_day, 8'000);
    EXPECT_EQ(figures_of("F1", 1)->meter_bytes, 512);
    for (const auto& [tier, units] :
         {std::pair("S4", 1), std::pair("", 1), std::pair("S1", 0), std::pair("S1", 201),
          std::pair("F1", 2), std::pair("S3", 11)})
        EXPECT_FALSE(figures_of(tier, units)) << tier << units;
}

TEST(Bucket, LetsTheAverageThroughAndShapesTheRest) {
    base::ManualClock clock{noon};
    Bucket bucket(10, Milliseconds(1'000), Milliseconds(300));
    for (int i = 0; i < 10; ++i)
        EXPECT_EQ(bucket.take(clock.monotonic()), Milliseconds(0));
    for (int i = 1; i <= 3; ++i)
        EXPECT_EQ(bucket.take(clock.monotonic()), Milliseconds(100 * i));
    EXPECT_FALSE(bucket.take(clock.monotonic()));
    clock.advance(Milliseconds(100));
    EXPECT_EQ(bucket.take(clock.monotonic()), Milliseconds(300));
    clock.advance(Milliseconds(10'000));  // no more than a full bucket comes back
    for (int i = 0; i < 10; ++i)
        EXPECT_EQ(bucket.take(clock.monotonic()), Milliseconds(0));
    EXPECT_EQ(bucket.take(clock.monotonic()), Milliseconds(100));
}

TEST(Bucket, TakesWhatIsLargerThanItselfWhenItIsFull) {
    base::ManualClock clock{noon};
    Bucket bucket(1'000, Milliseconds(1'000));
    EXPECT_TRUE(bucket.take(clock.monotonic(), 5'000));
    EXPECT_FALSE(bucket.take(clock.monotonic(), 1));
    clock.advance(Milliseconds(4'999));
    EXPECT_TRUE(bucket.take(clock.monotonic(), 1));
}

class LimitsTest : public ::testing::Test {
  protected:
    LimitsTest() : database_(*store::Database::open(directory_.path("cloud.db"))) { restart(); }
    void restart() {
        limits_.emplace(*Limits::open({.messages_a_day = 10,
                                       .meter_bytes = 4'096,
                                       .connects_a_second = 2,
                                       .sends_a_second = 1'000,
                                       .devicebound_a_minute = 1,
                                       .registry_a_minute = 2,
                                       .queries_a_minute = 1,
                                       .twin_reads_a_second = 1,
                                       .twin_updates_a_second = 1,
                                       .method_bytes_a_second = 100},
                                      database_, clock_));
    }

    test::TemporaryDirectory directory_;
    base::ManualClock clock_{noon};
    store::Database database_;
    std::optional<Limits> limits_;
};

TEST_F(LimitsTest, MetersMessagesInBlocks) {
    EXPECT_TRUE(limits_->take_message(0));
    EXPECT_TRUE(limits_->take_message(4'096));
    EXPECT_EQ(limits_->used(), 2);
    EXPECT_TRUE(limits_->take_message(4'097));
    EXPECT_EQ(limits_->used(), 4);
    EXPECT_FALSE(limits_->take_message(7 * 4'096));
    EXPECT_EQ(limits_->used(), 4);  // what was refused counts for nothing
    EXPECT_TRUE(limits_->take_message(6 * 4'096));
    EXPECT_FALSE(limits_->take_message(1));
    EXPECT_EQ(limits_->refusals(Limit::daily_quota), 2U);
}

TEST_F(LimitsTest, BeginsAnewAtMidnightOfItsClock) {
    for (int i = 0; i < 10; ++i)
        EXPECT_TRUE(limits_->take_message(1));
    clock_.advance(Milliseconds(day_ms / 2 - 1));
    EXPECT_FALSE(limits_->take_message(1));
    clock_.advance(Milliseconds(1));
    EXPECT_EQ(limits_->used(), 0);
    EXPECT_TRUE(limits_->take_message(1));
}

TEST_F(LimitsTest, RemembersTheDayThroughARestart) {
    for (int i = 0; i < 9; ++i)
        EXPECT_TRUE(limits_->take_message(1));
    ASSERT_TRUE(limits_->save());
    restart();
    EXPECT_EQ(limits_->used(), 9);
    EXPECT_TRUE(limits_->take_message(1));
    EXPECT_FALSE(limits_->take_message(1));
    ASSERT_TRUE(limits_->save());
    clock_.advance(Milliseconds(day_ms));
    restart();
    EXPECT_EQ(limits_->used(), 0);
}

struct Channel final : mqtt::Channel {
    void publish(std::string_view, base::ByteView) override {}
    void publish_acknowledged(std::string_view, base::ByteView, mqtt::Delivery) override {}
    void close(std::string_view) override {}
};
struct Session final : mqtt::Session {
    base::Status on_publish(const mqtt::Publish&) override { return {}; }
    base::Result<std::uint8_t> on_subscribe(const mqtt::Subscription&) override { return 0; }
    void on_unsubscribe(std::string_view) override {}
    void on_end(bool) override {}
};
struct Hub final : mqtt::Service {
    mqtt::Admission admit(const mqtt::Connect&, mqtt::Channel&) override {
        return {.code = mqtt::ConnectCode::accepted, .session = std::make_unique<Session>()};
    }
};

TEST_F(LimitsTest, TheGateRefusesAsTheHubDoes) {
    MITRAL_PROVES("T-DOS-04");
    Hub hub;
    Channel channel;
    Gate gate(hub, *limits_);
    mqtt::Connect connect;
    connect.user_name = "hub/dev/?api-version=2021-04-12";
    auto first = gate.admit(connect, channel);
    ASSERT_EQ(first.code, mqtt::ConnectCode::accepted);
    EXPECT_EQ(gate.admit(connect, channel).code, mqtt::ConnectCode::accepted);
    EXPECT_EQ(gate.admit(connect, channel).code, mqtt::ConnectCode::server_unavailable);
    mqtt::Connect registering;
    registering.user_name = "0ne/registrations/dev/api-version=2019-03-31";
    EXPECT_EQ(gate.admit(registering, channel).code, mqtt::ConnectCode::accepted);

    const mqtt::Publish message{.topic = "devices/dev/messages/events/", .packet_id = 1, .qos = 1};
    for (int i = 0; i < 10; ++i)
        EXPECT_TRUE(first.session->on_publish(message));
    EXPECT_EQ(first.session->on_publish(message).error().code, CloudError::throttled);
    const mqtt::Publish twin{.topic = "$iothub/twin/GET/?$rid=1"};
    EXPECT_TRUE(first.session->on_publish(twin));  // is no telemetry
    clock_.advance(Milliseconds(day_ms));
    EXPECT_EQ(gate.admit(connect, channel).code, mqtt::ConnectCode::accepted);
    for (int i = 0; i < 10; ++i)
        EXPECT_TRUE(first.session->on_publish(message));
}

http::Request request(http::Method method, std::string path, std::string body = {}) {
    http::Request request;
    request.method = method;
    request.path = std::move(path);
    request.body = std::move(body);
    return request;
}

TEST_F(LimitsTest, TheServiceApiAnswers429) {
    using http::Method;
    const auto serve = [&](const http::Request& call) {
        return api::within_limits(*limits_, call,
                                  [](const http::Request&) { return http::Response{}; });
    };
    for (const auto& [method, path, allowed] :
         {std::tuple(Method::get, "/devices/a", 2), std::tuple(Method::post, "/devices/query", 1),
          std::tuple(Method::get, "/twins/a", 1), std::tuple(Method::patch, "/twins/a", 1),
          std::tuple(Method::post, "/devices/a/messages", 1)}) {
        for (int i = 0; i < allowed; ++i)
            EXPECT_EQ(serve(request(method, path)).status, 200U) << path;
        EXPECT_EQ(serve(request(method, path)).status, 429U) << path;
    }
    const auto call = request(Method::post, "/twins/a/methods", std::string(100, 'x'));
    EXPECT_EQ(serve(call).status, 200U);
    EXPECT_EQ(serve(call).status, 429U);
    EXPECT_EQ(serve(request(Method::get, "/enrollments/a")).status, 200U);
    // Spelled as the router takes it too.
    for (int i = 0; i < 5; ++i)
        for (const auto* path : {"/devices/a/messages/events", "//Devices/a/messages/EVENTS/"})
            EXPECT_EQ(serve(request(Method::post, path, "{}")).status, 200U);
    EXPECT_EQ(serve(request(Method::post, "/devices/a/messages/Events", "{}")).status, 403U);
}

TEST_F(LimitsTest, WhatIsRefusedUsesNothing) {
    MITRAL_PROVES("T-DOS-01");
    using http::Method;
    const auto answer = [&](unsigned status, std::string path, std::size_t size) {
        const auto call = request(Method::post, std::move(path), std::string(size, 'x'));
        return api::within_limits(*limits_, call,
                                  [&](const http::Request&) {
                                      http::Response response;
                                      response.status = status;
                                      return response;
                                  })
            .status;
    };
    const auto used = limits_->used();
    for (int i = 0; i < 100; ++i) {
        EXPECT_EQ(answer(401, "/devices/a/messages/events", 1), 401U);
        EXPECT_EQ(answer(401, "/devices/query", 1), 401U);
    }
    EXPECT_EQ(limits_->used(), used);
    EXPECT_EQ(answer(200, "/devices/query", 1), 200U);
    EXPECT_EQ(answer(204, "/devices/a/messages/events", 1), 204U);
    EXPECT_EQ(limits_->used(), used + 1);  // control
}

}  // namespace
}  // namespace mitral::cloud::limits
