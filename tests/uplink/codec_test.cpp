#include <gtest/gtest.h>

#include <random>

#include "support/proves.hpp"
#include "uplink/error.hpp"
#include "uplink/mqtt_decode.hpp"
#include "uplink/mqtt_encode.hpp"

namespace mitral::uplink {
namespace {

using base::Bytes;

TEST(MqttEncode, ConnectIsWhatTheSpecificationShows) {
    const auto packet =
        encode_connect({"dev1", "hub/dev1/?api-version=2021-04-12", base::as_bytes("token"), 60});
    ASSERT_TRUE(packet);
    const Bytes bytes(packet->view().begin(), packet->view().end());
    // Fixed header, protocol name and level, flags (username, password, clean session), keep-alive.
    const Bytes head{0x10, 0x37, 0x00, 0x04, 'M', 'Q', 'T', 'T', 0x04, 0xC2, 0x00, 0x3C};
    ASSERT_EQ(bytes.size(), 2U + bytes[1]);
    EXPECT_TRUE(std::equal(head.begin() + 2, head.end(), bytes.begin() + 2));
    EXPECT_EQ(bytes[0], 0x10);
    const std::string tail(bytes.end() - 7, bytes.end());
    EXPECT_EQ(tail, std::string("\0\5token", 7));
}

TEST(MqttEncode, RemainingLengthTakesAsManyBytesAsItNeeds) {
    for (const std::size_t size : {0UL, 115UL, 116UL, 16'370UL, 16'371UL, 250'000UL}) {
        Bytes out;
        const Bytes payload(size, 0x55);
        ASSERT_TRUE(append_publish(out, {"topic", "/56"}, 7, payload));
        std::size_t length = 0;
        std::size_t at = 1;
        for (unsigned shift = 0;; shift += 7) {
            length |= static_cast<std::size_t>(out[at] & 0x7F) << shift;
            if ((out[at++] & 0x80) == 0)
                break;
        }
        EXPECT_EQ(out.size(), at + length) << size;
        EXPECT_EQ(length, 2 + 8 + 2 + size);
        EXPECT_EQ(out[0], 0x32);  // QoS 1, not retained, not a duplicate
    }
}

TEST(MqttEncode, RefusesWhatTheHubWouldDrop) {
    Bytes out{1, 2, 3};
    const auto refused = append_publish(out, {"t"}, 1, Bytes(max_message_size));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, UplinkError::too_large);
    EXPECT_EQ(out.size(), 3U);
    EXPECT_TRUE(append_publish(out, {"t"}, 1, Bytes(max_message_size - 1)));
    EXPECT_FALSE(encode_connect({std::string(65'536, 'a'), "u", {}, 1}));
}

TEST(MqttDecode, TakesTheThreePackets) {
    Decoder decoder;
    const Bytes stream{0x20, 2, 0, 0, 0x40, 2, 0x12, 0x34, 0xD0, 0};
    base::ByteView view(stream);
    auto packet = decoder.next(view);
    ASSERT_TRUE(packet && *packet);
    EXPECT_EQ((*packet)->kind, Inbound::Kind::connack);
    packet = decoder.next(view);
    ASSERT_TRUE(packet && *packet);
    EXPECT_EQ((*packet)->kind, Inbound::Kind::puback);
    EXPECT_EQ((*packet)->packet_id, 0x1234);
    packet = decoder.next(view);
    ASSERT_TRUE(packet && *packet);
    EXPECT_EQ((*packet)->kind, Inbound::Kind::pingresp);
    EXPECT_TRUE(view.empty());
}

TEST(MqttDecode, ByteByByteIsTheSame) {
    Decoder decoder;
    const Bytes stream{0x20, 2, 1, 5, 0x40, 2, 0, 9};
    std::vector<Inbound> seen;
    for (const std::uint8_t byte : stream) {
        base::ByteView one(&byte, 1);
        const auto packet = decoder.next(one);
        ASSERT_TRUE(packet);
        if (*packet)
            seen.push_back(**packet);
    }
    ASSERT_EQ(seen.size(), 2U);
    EXPECT_TRUE(seen[0].session_present);
    EXPECT_EQ(seen[0].return_code, 5);
    EXPECT_EQ(seen[1].packet_id, 9);
}

// Every first byte there is: three are taken, the others are refused at once, before any length.
TEST(MqttDecode, EveryOtherPacketIsRefusedOnItsFirstByte) {
    MITRAL_PROVES("T-WAY-01", "T-SW-02");
    int taken = 0;
    for (unsigned value = 0; value < 256; ++value) {
        Decoder decoder;
        const auto byte = static_cast<std::uint8_t>(value);
        base::ByteView one(&byte, 1);
        const auto packet = decoder.next(one);
        if (packet) {
            ++taken;
            EXPECT_TRUE(byte == 0x20 || byte == 0x40 || byte == 0xD0) << value;
        } else {
            EXPECT_EQ(packet.error().header, byte);
        }
    }
    EXPECT_EQ(taken, 3);
}

struct Malformed {
    const char* what;
    Bytes bytes;
    Violation::Kind kind;
};

TEST(MqttDecode, MalformedPacketsAreRefused) {
    MITRAL_PROVES("T-SW-02");
    using Kind = Violation::Kind;
    const std::vector<Malformed> cases{
        {"SUBACK", {0x90, 3, 0, 1, 0}, Kind::forbidden_packet},
        {"PUBLISH", {0x30, 5, 0, 1, 't', 'h', 'i'}, Kind::forbidden_packet},
        {"AUTH", {0xF0, 0}, Kind::forbidden_packet},
        {"reserved type 0", {0x00, 0}, Kind::forbidden_packet},
        {"PUBREC", {0x50, 2, 0, 1}, Kind::forbidden_packet},
        {"CONNACK with flags", {0x21, 2, 0, 0}, Kind::reserved_flags},
        {"PUBACK with flags", {0x42, 2, 0, 1}, Kind::reserved_flags},
        {"PINGRESP with flags", {0xD8, 0}, Kind::reserved_flags},
        {"CONNACK flags byte", {0x20, 2, 2, 0}, Kind::reserved_flags},
        {"short CONNACK", {0x20, 1, 0}, Kind::wrong_length},
        {"long PUBACK", {0x40, 3, 0, 1, 0}, Kind::wrong_length},
        {"PUBACK of 256 MiB", {0x40, 0xFF, 0xFF, 0xFF, 0x7F}, Kind::wrong_length},
        {"length that never ends", {0x40, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF}, Kind::wrong_length},
        {"length in more bytes than needed", {0x40, 0x82, 0x00, 0, 1}, Kind::wrong_length},
        {"PINGRESP with a body", {0xD0, 1, 0}, Kind::wrong_length},
        {"return code 6", {0x20, 2, 0, 6}, Kind::reserved_return_code},
        {"packet id 0", {0x40, 2, 0, 0}, Kind::zero_packet_id},
    };
    for (const Malformed& one : cases) {
        Decoder decoder;
        base::ByteView view(one.bytes);
        const auto packet = decoder.next(view);
        ASSERT_FALSE(packet) << one.what;
        EXPECT_EQ(packet.error().kind, one.kind) << one.what;
    }
}

TEST(MqttDecode, HalfAPacketWaits) {
    for (const Bytes& half : std::vector<Bytes>{{0x20}, {0x40, 2}, {0x40, 2, 0}}) {
        Decoder decoder;
        base::ByteView view(half);
        const auto packet = decoder.next(view);
        ASSERT_TRUE(packet);
        EXPECT_FALSE(*packet);
    }
}

}  // namespace
}  // namespace mitral::uplink
