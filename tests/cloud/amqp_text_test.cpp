#include <gtest/gtest.h>

#include <limits>

#include "cloud/amqp/claims.hpp"
#include "cloud/amqp/devicebound.hpp"
#include "cloud/amqp/event_line.hpp"
#include "cloud/amqp/sections.hpp"
#include "cloud/amqp/selector.hpp"
#include "cloud/error.hpp"
#include "support/proves.hpp"

namespace mitral::cloud::amqp {
namespace {

TEST(AmqpSelector, FindsWhereToBegin) {
    const auto from = [](std::string_view text) { return parse_selector(text).value(); };
    using Kind = Position::Kind;
    EXPECT_EQ(from("amqp.annotation.x-opt-offset > '-1'").kind, Kind::earliest);
    EXPECT_EQ(from("amqp.annotation.x-opt-offset > '@latest'").kind, Kind::latest);
    EXPECT_EQ(from("amqp.annotation.x-opt-offset > '12'").from, 13U);
    EXPECT_EQ(from("amqp.annotation.x-opt-offset >= '12'").from, 12U);
    EXPECT_EQ(from(" amqp.annotation.x-opt-sequence-number >'7' ").from, 8U);
    EXPECT_EQ(from("amqp.annotation.x-opt-enqueued-time > '1700000000000'").after_ms,
              1'700'000'000'000);
    EXPECT_EQ(from("amqp.annotation.x-opt-enqueued-time >= '5'").after_ms, 4);
    EXPECT_EQ(from("amqp.annotation.x-opt-enqueued-time >= '-9223372036854775808'").after_ms, -1);
}

TEST(AmqpSelector, RefusesWhatItDoesNotUnderstand) {
    for (const auto* text :
         {"", ">", "x > '1'", "amqp.annotation.x-opt-offset < '1'",
          "amqp.annotation.x-opt-offset > 'a'", "amqp.annotation.x-opt-offset > ''",
          "amqp.annotation.x-opt-offset > '1' OR true", "amqp.annotation.x-opt-publisher > '1'",
          "amqp.annotation.x-opt-offset > '99999999999999999999'"})
        EXPECT_FALSE(parse_selector(text)) << text;
    EXPECT_FALSE(parse_selector("amqp.annotation.x-opt-offset > '" + std::string(300, '1') + "'"));
}

TEST(AmqpClaims, CoverWholeSegmentsOfTheirResourceOnly) {
    MITRAL_PROVES("CR 2.1");
    Claims claims;
    EXPECT_FALSE(claims.allowed_until("messages/events", hub::service_connect));
    ASSERT_TRUE(
        claims.add({.resource = "h/messages/ev", .rights = hub::service_connect, .expiry_s = 9}));
    EXPECT_FALSE(claims.allowed_until("messages/events", hub::service_connect));
    ASSERT_TRUE(
        claims.add({.resource = "h/messages", .rights = hub::registry_read, .expiry_s = 9}));
    EXPECT_FALSE(claims.allowed_until("messages/events", hub::service_connect));
    ASSERT_TRUE(
        claims.add({.resource = "h/messages", .rights = hub::service_connect, .expiry_s = 12}));
    EXPECT_EQ(claims.allowed_until("messages/events", hub::service_connect), 12);
}

TEST(AmqpClaims, EndOneByOne) {
    Claims claims;
    ASSERT_TRUE(claims.add({.resource = "h/a", .expiry_s = 10}));
    ASSERT_TRUE(claims.add({.resource = "h/b", .expiry_s = 20}));
    EXPECT_EQ(claims.first_expiry_s(), 10);
    EXPECT_FALSE(claims.drop_ended(10));
    EXPECT_TRUE(claims.drop_ended(11));
    EXPECT_EQ(claims.first_expiry_s(), 20);
    EXPECT_TRUE(claims.drop_ended(21));
    EXPECT_TRUE(claims.empty());
    EXPECT_FALSE(claims.first_expiry_s());
    for (std::size_t i = 0; i < Claims::limit; ++i)
        ASSERT_TRUE(claims.add({.resource = "h/" + std::to_string(i)}));
    EXPECT_FALSE(claims.add({.resource = "h/one-more"}));
    EXPECT_TRUE(claims.add({.resource = "h/1"}));
}

TEST(AmqpEventLine, IsTheMessageOfTheDevice) {
    constexpr std::string_view line =
        R"({"offset":7,"enqueued":"2026-11-22T10:00:00.250Z","device":"dev-01","system":)"
        R"({"$.mid":"m","$.ct":"a/b","iothub-connection-device-id":"dev-01"},)"
        R"("properties":{"ward":"icu"},"body":"AAEC"})";
    const auto head = read_head(line);
    ASSERT_TRUE(head);
    EXPECT_EQ(head->offset, 7U);
    EXPECT_EQ(head->device, "dev-01");
    const auto event = to_event(line);
    ASSERT_TRUE(event);
    EXPECT_EQ(text_of(event->id), "m");
    EXPECT_EQ(event->content_type, "a/b");
    EXPECT_EQ(text_property(*event, "ward"), "icu");
    EXPECT_EQ(std::get<Binary>(event->body).bytes, std::string("\0\1\2", 3));
    EXPECT_EQ(std::get<std::int64_t>(event->annotations.at(0).second), 7);
    EXPECT_FALSE(to_event(R"({"offset":7,"enqueued":"yesterday","device":"d","body":""})"));
    EXPECT_FALSE(read_head(""));
    EXPECT_FALSE(read_head(R"({"offset":x)"));
}

TEST(AmqpEventLine, APartitionIsForLife) {
    EXPECT_EQ(partition_of("", 4), 0xcbf29ce4U % 4);   // the start value of FNV-1a
    EXPECT_EQ(partition_of("a", 4), 0xaf63dc4cU % 4);  // its published vector for "a"
}

TEST(AmqpMessage, SurvivesItsBytes) {
    Message message{.id = std::string("id"),
                    .correlation_id = Uuid{{1, 2, 3}},
                    .to = "/devices/d/messages/devicebound",
                    .reply_to = "r",
                    .content_type = "a/b",
                    .expires_ms = 5};
    message.annotations = {{"x-opt-offset", std::string("1")}, {"t", Timestamp{9}}};
    message.properties = {{"n", std::int64_t{-3}}, {"flag", true}};
    message.body = Binary{std::string("\0x", 2)};
    const auto bytes = encode_message(message);
    ASSERT_TRUE(bytes);
    const auto back = decode_message(*bytes);
    ASSERT_TRUE(back);
    EXPECT_EQ(text_of(back->id), "id");
    EXPECT_EQ(text_of(back->correlation_id), "01020300-0000-0000-0000-000000000000");
    EXPECT_EQ(back->to, message.to);
    EXPECT_EQ(back->reply_to, "r");
    EXPECT_EQ(back->expires_ms, 5);
    EXPECT_EQ(std::get<std::int64_t>(back->properties.at(0).second), -3);
    EXPECT_EQ(std::get<Timestamp>(back->annotations.at(1).second).ms, 9);
    EXPECT_EQ(std::get<Binary>(back->body).bytes, std::string("\0x", 2));
    for (std::size_t size = 1; size < bytes->size(); ++size)
        (void)decode_message(base::ByteView(*bytes).first(size));
    EXPECT_FALSE(decode_message({}));
}

TEST(AmqpSections, ReachToTheEnd) {
    MITRAL_PROVES("T-DOS-01");
    using namespace std::string_literals;
    const auto value = "\x00\x53\x77\xa1\x01x"s;
    for (const auto& good : {value, "\x00\x53\x70\x45"s + value, "\x00\x80\0\0\0\0\0\0\0\x77\x40"s,
                             "\x00\x53\x75\xb0\x00\x00\x00\x01x"s, "\x00\x53\x77\x00\xa3\x01n\x43"s,
                             "\x00\x53\x77\x98"s + std::string(16, 'u')})
        EXPECT_TRUE(are_sections(base::as_bytes(good)));
    for (const auto& bad :
         {value + "\x40", "\x40"s, "\x00"s, "\x00\x53\x77"s, "\x00\x53\x6f\x40"s,
          "\x00\x53\x79\x40"s, "\x00\xa3\x01n\x40"s, "\x00\x53\x77\xa1\x02x"s,
          "\x00\x53\x77\xb1\xff\xff\xff\xffx"s, "\x00\x53\x77\x00\x00\x43\x43\x43"s,
          "\x00\x53\x77\x10"s, value + value.substr(0, 5)})
        EXPECT_FALSE(are_sections(base::as_bytes(bad)));
}

TEST(AmqpDevicebound, NamesItsRecipient) {
    EXPECT_EQ(devicebound_recipient("/devices/a/messages/devicebound"), "a");
    EXPECT_EQ(devicebound_recipient("devices/a%20b/messages/deviceBound"), "a b");
    for (const auto* to : {"", "/devices/a", "/devices//messages/devicebound",
                           "/devices/a/modules/m/messages/devicebound"})
        EXPECT_EQ(devicebound_recipient(to), "") << to;
}

TEST(AmqpDevicebound, LivesAsLongAsItsSenderSays) {
    const base::WallTime now{10'000};
    EXPECT_EQ(to_devicebound({.expires_ms = 12'500}, now)->time_to_live, base::Seconds(3));
    EXPECT_EQ(to_devicebound({.ttl_ms = 1'500}, now)->time_to_live, base::Seconds(2));
    for (const auto long_ago : {std::int64_t{1}, std::numeric_limits<std::int64_t>::min()})
        EXPECT_LT(to_devicebound({.expires_ms = long_ago}, now)->time_to_live, base::Seconds(0));
    const Message loud{.properties = {{"iothub-ack", std::string("loud")}}};
    EXPECT_EQ(to_devicebound(loud, now).error().code, CloudError::invalid_argument);
}

}  // namespace
}  // namespace mitral::cloud::amqp
