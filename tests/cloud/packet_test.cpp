#include <gtest/gtest.h>

#include "cloud/error.hpp"
#include "cloud/mqtt/packet.hpp"
#include "support/proves.hpp"

namespace mitral::cloud::mqtt {
namespace {

constexpr std::size_t limit = 64 * 1024;

// A packet from its first byte and its body.
base::Bytes packet(std::uint8_t first, const base::Bytes& body) {
    base::Bytes bytes{first};
    std::size_t length = body.size();
    do {
        const auto digit = static_cast<std::uint8_t>(length & 0x7f);
        length >>= 7;
        bytes.push_back(length > 0 ? static_cast<std::uint8_t>(digit | 0x80) : digit);
    } while (length > 0);
    bytes.insert(bytes.end(), body.begin(), body.end());
    return bytes;
}

base::Bytes connect_body(std::uint8_t flags, std::string_view name = "MQTT",
                         std::uint8_t level = 4) {
    base::ByteWriter body;
    body.text16(name).u8(level).u8(flags).u16(60).text16("dev-01");
    if ((flags & 0x04) != 0)
        body.text16("devices/dev-01/messages/events/").text16("bye");
    if ((flags & 0x80) != 0)
        body.text16("user");
    if ((flags & 0x40) != 0)
        body.text16("token");
    return std::move(body).bytes();
}

Frame whole(const base::Bytes& bytes) {
    const auto frame = next_frame(bytes, limit);
    EXPECT_TRUE(frame && *frame);
    return frame && *frame ? **frame : Frame{};
}

TEST(Frame, WaitsForEveryMissingByte) {
    const auto bytes = packet(0x30, base::Bytes(200, 'x'));
    for (std::size_t size = 0; size < bytes.size(); ++size) {
        const auto frame = next_frame(base::ByteView(bytes).first(size), limit);
        ASSERT_TRUE(frame) << size;
        EXPECT_FALSE(*frame) << size;
    }
    EXPECT_EQ(whole(bytes).size, bytes.size());
}

TEST(Frame, TakesOnlyTheFirstPacket) {
    auto bytes = packet(0xc0, {});
    bytes.push_back(0xe0);
    EXPECT_EQ(whole(bytes).size, 2U);
}

TEST(Frame, RefusesATooLargePacketBeforeItsBodyArrives) {
    MITRAL_PROVES("T-SW-02", "T-DOS-04", "CR 7.1");
    const base::Bytes header{0x30, 0xff, 0xff, 0xff, 0x7f};
    const auto frame = next_frame(header, limit);
    ASSERT_FALSE(frame);
    EXPECT_EQ(frame.error().code, CloudError::too_large);
    const base::Bytes endless{0x30, 0xff, 0xff, 0xff, 0xff, 0x01};
    EXPECT_FALSE(next_frame(endless, limit));
}

TEST(Frame, RefusesReservedTypesAndFlags) {
    MITRAL_PROVES("T-SW-02", "CR 3.5");
    for (const int first : {0x00, 0x0f, 0xf0, 0x11, 0x80, 0x83, 0xa0, 0xc1, 0xe2, 0x60})
        EXPECT_FALSE(next_frame(base::Bytes{static_cast<std::uint8_t>(first), 0x00}, limit))
            << first;
    for (const int first : {0x10, 0x3d, 0x82, 0xa2, 0xc0, 0xe0, 0x62})
        EXPECT_TRUE(next_frame(base::Bytes{static_cast<std::uint8_t>(first), 0x00}, limit))
            << first;
}

TEST(Connect, ReadsEveryField) {
    const auto body = connect_body(0xc0 | 0x04 | 0x08 | 0x20 | 0x02);
    const auto connect = parse_connect(body);
    ASSERT_TRUE(connect);
    EXPECT_TRUE(connect->known_protocol);
    EXPECT_EQ(connect->client_id, "dev-01");
    EXPECT_EQ(connect->user_name, "user");
    EXPECT_EQ(connect->password, "token");
    EXPECT_EQ(connect->keep_alive_s, 60);
    EXPECT_TRUE(connect->clean_session);
    ASSERT_TRUE(connect->will);
    EXPECT_EQ(connect->will->qos, 1);
    EXPECT_TRUE(connect->will->retain);
    EXPECT_EQ(base::as_text(connect->will->message), "bye");
}

TEST(Connect, TellsOtherProtocolsApart) {
    for (const auto& [name, level] :
         {std::pair{"MQIsdp", 3}, {"MQTT", 5}, {"MQTT", 3}, {"mqtt", 4}}) {
        const auto connect = parse_connect(connect_body(0, name, static_cast<std::uint8_t>(level)));
        ASSERT_TRUE(connect) << name << level;
        EXPECT_FALSE(connect->known_protocol) << name << level;
    }
}

TEST(Connect, RefusesContradictingFlags) {
    MITRAL_PROVES("T-SW-02", "CR 3.5");
    EXPECT_TRUE(parse_connect(connect_body(0x00)));
    EXPECT_FALSE(parse_connect(connect_body(0x01)));         // reserved
    EXPECT_FALSE(parse_connect(connect_body(0x40)));         // password without user
    EXPECT_FALSE(parse_connect(connect_body(0x08)));         // will QoS without will
    EXPECT_FALSE(parse_connect(connect_body(0x20)));         // will retain without will
    EXPECT_FALSE(parse_connect(connect_body(0x04 | 0x18)));  // will QoS 3
    auto longer = connect_body(0x00);
    longer.push_back(0);
    EXPECT_FALSE(parse_connect(longer));
}

TEST(Connect, RefusesEveryTruncation) {
    MITRAL_PROVES("T-SW-02");
    const auto body = connect_body(0xc4);
    ASSERT_TRUE(parse_connect(body));
    for (std::size_t size = 0; size < body.size(); ++size)
        EXPECT_FALSE(parse_connect(base::ByteView(body).first(size))) << size;
}

base::Bytes publish_body(std::string_view topic, std::optional<std::uint16_t> id) {
    base::ByteWriter body;
    body.text16(topic);
    if (id)
        body.u16(*id);
    body.text("payload");
    return std::move(body).bytes();
}

TEST(Publish, ReadsBothQualities) {
    const auto once = packet(0x30, publish_body("a/b", std::nullopt));
    const auto zero = parse_publish(whole(once));
    ASSERT_TRUE(zero);
    EXPECT_EQ(zero->topic, "a/b");
    EXPECT_EQ(base::as_text(zero->payload), "payload");
    const auto again = packet(0x3b, publish_body("a/b", 7));
    const auto one = parse_publish(whole(again));
    ASSERT_TRUE(one);
    EXPECT_EQ(one->packet_id, 7);
    EXPECT_TRUE(one->duplicate);
    EXPECT_TRUE(one->retain);
}

TEST(Publish, RefusesWhatTheStandardForbids) {
    MITRAL_PROVES("T-SW-02", "CR 3.5");
    const auto refused = [](std::uint8_t first, const base::Bytes& body) {
        return !parse_publish(whole(packet(first, body)));
    };
    EXPECT_FALSE(refused(0x32, publish_body("a", 1)));  // the control
    EXPECT_TRUE(refused(0x32, publish_body("a", 0)));
    EXPECT_TRUE(refused(0x36, publish_body("a", 1)));             // QoS 3
    EXPECT_TRUE(refused(0x38, publish_body("a", std::nullopt)));  // DUP with QoS 0
    EXPECT_TRUE(refused(0x32, publish_body("", 1)));
    EXPECT_TRUE(refused(0x32, publish_body("a/#", 1)));
    EXPECT_TRUE(refused(0x32, publish_body("+/b", 1)));
    EXPECT_TRUE(refused(0x32, publish_body(std::string_view("a\0b", 3), 1)));
    EXPECT_TRUE(refused(0x32, publish_body("\xc0\xaf", 1)));      // overlong
    EXPECT_TRUE(refused(0x32, publish_body("\xed\xa0\x80", 1)));  // surrogate
    EXPECT_TRUE(refused(0x32, base::Bytes{0x00, 0x05, 'a'}));
}

TEST(Subscribe, ReadsFiltersAndRefusesFloods) {
    MITRAL_PROVES("T-SW-02", "T-DOS-04");
    base::ByteWriter body;
    body.u16(9).text16("x/#").u8(2).text16("y").u8(0);
    const auto subscribe = parse_subscribe(body.bytes());
    ASSERT_TRUE(subscribe);
    EXPECT_EQ(subscribe->packet_id, 9);
    ASSERT_EQ(subscribe->subscriptions.size(), 2U);
    EXPECT_EQ(subscribe->subscriptions[0].qos, 2);
    EXPECT_FALSE(parse_subscribe(base::ByteWriter().u16(9).bytes()));
    EXPECT_FALSE(parse_subscribe(base::ByteWriter().u16(9).text16("x").u8(3).bytes()));
    EXPECT_FALSE(parse_subscribe(base::ByteWriter().u16(0).text16("x").u8(0).bytes()));
    base::ByteWriter flood;
    flood.u16(9);
    for (std::size_t i = 0; i <= max_filters; ++i)
        flood.text16("x").u8(0);
    EXPECT_FALSE(parse_subscribe(flood.bytes()));
}

TEST(Encode, WritesWhatTheStandardShows) {
    base::Bytes out;
    append_connack(out, true, ConnectCode::accepted);
    append_connack(out, true, ConnectCode::not_authorised);  // session present is cleared
    append_puback(out, 0x1234);
    append_suback(out, 1, {1, 0});
    append_unsuback(out, 2);
    append_pingresp(out);
    append_publish(out, "t", base::as_bytes("ab"));
    append_publish(out, "t", base::as_bytes("c"), {.packet_id = 0x0102, .duplicate = true});
    const base::Bytes expected{0x20, 2, 1,   0,   0x20, 2,    0, 5, 0x40, 2,    0x12, 0x34, 0x90,
                               4,    0, 1,   1,   0,    0xb0, 2, 0, 2,    0xd0, 0,    0x30, 5,
                               0,    1, 't', 'a', 'b',  0x3a, 6, 0, 1,    't',  1,    2,    'c'};
    EXPECT_EQ(out, expected);
}

TEST(Encode, LongPacketsComeBackWhole) {
    base::Bytes out;
    append_publish(out, "topic", base::Bytes(20'000, 'z'));
    const auto publish = parse_publish(whole(out));
    ASSERT_TRUE(publish);
    EXPECT_EQ(publish->payload.size(), 20'000U);
}

}  // namespace
}  // namespace mitral::cloud::mqtt
