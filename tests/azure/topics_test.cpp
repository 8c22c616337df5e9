#include "azure/topics.hpp"

#include <gtest/gtest.h>

#include <random>

#include "azure/errors.hpp"
#include "support/proves.hpp"

namespace mitral::azure {
namespace {

// As recorded from Microsoft's Node SDK.
constexpr std::string_view node_topic =
    "devices/dev-01/messages/events/%24.mid=m%201&%24.ct=application%2Fjson&%24.ce=utf-8"
    "&alert%20level=hi%26lo%3D1%2F%C3%A9";
// The C SDK encodes system names only and leaves values raw.
constexpr std::string_view c_topic =
    "devices/dev-01/messages/events/%24.ct=application/json&%24.ce=utf-8&note=50% done";

TEST(Topics, WritesWhatTheNodeSdkWrites) {
    const PropertyBag bag{{"$.mid", "m 1"},
                          {"$.ct", "application/json"},
                          {"$.ce", "utf-8"},
                          {"alert level", "hi&lo=1/\xc3\xa9"}};
    EXPECT_EQ(node_topic, *telemetry_topic("dev-01", "", bag));
    EXPECT_EQ("devices/d/modules/m/messages/events/a=", *telemetry_topic("d", "m", {{"a", ""}}));
    EXPECT_EQ("devices/d/messages/events/flag", *telemetry_topic("d", "", {Property("flag")}));
}

TEST(Topics, ReadsBothEncodings) {
    const auto node = parse_telemetry_topic(node_topic);
    ASSERT_TRUE(node);
    EXPECT_EQ("dev-01", node->device);
    EXPECT_EQ("", node->module);
    const auto bag = decode_bag(node->bag);
    ASSERT_TRUE(bag);
    EXPECT_EQ("m 1", find_property(*bag, "$.mid")->value);
    EXPECT_EQ("hi&lo=1/\xc3\xa9", find_property(*bag, "alert level")->value);

    const auto c = parse_telemetry_topic(c_topic);
    ASSERT_TRUE(c);
    const auto raw = decode_bag(c->bag);
    ASSERT_TRUE(raw);
    EXPECT_EQ("application/json", find_property(*raw, "$.ct")->value);
    EXPECT_EQ("50% done", find_property(*raw, "note")->value);
    EXPECT_EQ(nullptr, find_property(*raw, "absent"));
}

TEST(Topics, ReadsModulesOutputsAndEmptyBags) {
    const auto module = parse_telemetry_topic("devices/d/modules/m/messages/events/%24.on=out/");
    ASSERT_TRUE(module);
    EXPECT_EQ("m", module->module);
    EXPECT_EQ("out", find_property(*decode_bag(module->bag), "$.on")->value);
    EXPECT_EQ("", parse_telemetry_topic("devices/d/messages/events/")->bag);
    EXPECT_EQ("", parse_telemetry_topic("devices/d/messages/events")->bag);
    EXPECT_EQ("http://x/", find_property(*decode_bag("url=http://x/"), "url")->value);
    EXPECT_FALSE(find_property(*decode_bag("flag&a="), "flag")->value);
    EXPECT_EQ("", find_property(*decode_bag("flag&a="), "a")->value);
}

TEST(Topics, RefusesOtherTopics) {
    for (const auto* topic : {"", "devices", "devices/", "devices/d", "devices/d/messages",
                              "devices/d/messages/eventsx", "devices/d/messages/devicebound/",
                              "devices//messages/events/", "devices/a+b/messages/events/",
                              "devices/d/modules//messages/events/", "$iothub/twin/GET/?$rid=1",
                              "Devices/d/messages/events/", "devices/#/messages/events/"})
        EXPECT_FALSE(parse_telemetry_topic(topic)) << topic;
}

TEST(Topics, NoIdCanChangeTheTopic) {
    MITRAL_PROVES("T-TOK-02");
    for (const auto* id : {"", "a/b", "+", "#", "a\nb"}) {
        EXPECT_FALSE(telemetry_topic(id, "", {})) << id;
        EXPECT_FALSE(hub_username("h", id)) << id;
    }
    EXPECT_FALSE(telemetry_topic("d", "m/n", {}));
}

TEST(Topics, BoundsAreKept) {
    EXPECT_EQ(AzureError::too_large,
              telemetry_topic("d", "", {{"a", std::string(30'000, '%')}}).error().code);
    std::string many;
    for (int i = 0; i < 257; ++i)
        many += "a=1&";
    EXPECT_EQ(AzureError::too_large, decode_bag(many).error().code);
    many.resize(256 * 4);
    EXPECT_EQ(256U, decode_bag(many)->size());
    EXPECT_EQ(AzureError::malformed_topic, decode_bag("=1").error().code);
}

TEST(Topics, EveryBagSurvivesTheRoundTrip) {
    std::mt19937 random(7);
    for (int round = 0; round < 2000; ++round) {
        PropertyBag bag;
        for (auto left = random() % 5; left > 0; --left) {
            std::string name(1 + random() % 6, ' ');
            std::string value(random() % 8, ' ');
            for (auto& c : name)
                c = static_cast<char>(random());
            for (auto& c : value)
                c = static_cast<char>(random());
            if (random() % 4 == 0)
                bag.push_back(Property(name));
            else
                bag.emplace_back(name, value);
        }
        const auto decoded = decode_bag(encode_bag(bag));
        ASSERT_TRUE(decoded);
        EXPECT_EQ(bag, *decoded);
    }
}

TEST(HubUsername, WritesAndReadsOurForm) {
    EXPECT_EQ("localhost:8883/dev-01/?api-version=2021-04-12",
              *hub_username("localhost:8883", "dev-01"));
    EXPECT_EQ("h/d/m/?api-version=2021-04-12", *hub_username("h", "d", "m"));
    const auto user = parse_hub_username("h/d/m/?api-version=2021-04-12");
    ASSERT_TRUE(user);
    EXPECT_EQ("m", user->module);
}

TEST(HubUsername, ReadsWhatOtherClientsSend) {
    const auto node = parse_hub_username(
        "localhost:38883/dev-01/"
        "?api-version=2021-04-12&model-id=dtmi:azure:iot:deviceUpdateContractModel;2"
        "&DeviceClientType=azure-iot-device%2F1.18.4%20(node%20v20.1)");
    ASSERT_TRUE(node);
    EXPECT_EQ("localhost:38883", node->host);
    EXPECT_EQ("dev-01", node->device);
    EXPECT_EQ("2021-04-12", node->api_version);
    EXPECT_EQ("dtmi:azure:iot:deviceUpdateContractModel;2",
              find_property(node->parameters, "model-id")->value);
    EXPECT_EQ("azure-iot-device/1.18.4 (node v20.1)",
              find_property(node->parameters, "DeviceClientType")->value);

    const auto c = parse_hub_username("hub.local/d/?DeviceClientType=c%2f1&api-version=2020-09-30");
    ASSERT_TRUE(c);
    EXPECT_EQ("2020-09-30", c->api_version);

    const auto old = parse_hub_username("hub.local/d/api-version=2016-11-14");
    ASSERT_TRUE(old);
    EXPECT_EQ("", old->module);
    EXPECT_EQ("2016-11-14", old->api_version);
    EXPECT_EQ("m", parse_hub_username("Hub.Local/d/m/api-version=2016-11-14")->module);
}

TEST(HubUsername, RefusesTheRest) {
    for (const auto* text : {"", "h", "h/d", "h/d/", "h/d/?", "h/d/?api-version=",
                             "h//?api-version=1", "/d/?api-version=1", "h/a+b/?api-version=1",
                             "h/d/m/n/?api-version=1", "h x/d/?api-version=1"})
        EXPECT_FALSE(parse_hub_username(text)) << text;
    EXPECT_FALSE(parse_hub_username("h/d/?api-version=1&x=" + std::string(5000, 'a')));
}

}  // namespace
}  // namespace mitral::azure
