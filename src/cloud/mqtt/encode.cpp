#include <cassert>

#include "cloud/mqtt/packet.hpp"

namespace mitral::cloud::mqtt {
namespace {

constexpr std::uint8_t first_byte(PacketType type) {
    return static_cast<std::uint8_t>(static_cast<std::uint8_t>(type) << 4);
}

void append_u16(base::Bytes& out, std::size_t value) {
    out.push_back(static_cast<std::uint8_t>(value >> 8));
    out.push_back(static_cast<std::uint8_t>(value & 0xff));
}

void append_remaining_length(base::Bytes& out, std::size_t length) {  // §2.2.3
    assert(length < 268'435'456);
    do {
        const auto digit = static_cast<std::uint8_t>(length & 0x7f);
        length >>= 7;
        out.push_back(length > 0 ? static_cast<std::uint8_t>(digit | 0x80) : digit);
    } while (length > 0);
}

void append_short(base::Bytes& out, PacketType type, std::uint16_t packet_id) {
    out.push_back(first_byte(type));
    out.push_back(2);
    append_u16(out, packet_id);
}

}  // namespace

void append_connack(base::Bytes& out, bool session_present, ConnectCode code) {
    out.push_back(first_byte(PacketType::connack));
    out.push_back(2);
    // [MQTT-3.2.2-4]: a refusal never carries session present.
    out.push_back(session_present && code == ConnectCode::accepted ? 1 : 0);
    out.push_back(static_cast<std::uint8_t>(code));
}

void append_puback(base::Bytes& out, std::uint16_t packet_id) {
    append_short(out, PacketType::puback, packet_id);
}

void append_suback(base::Bytes& out, std::uint16_t packet_id,
                   const std::vector<std::uint8_t>& granted) {
    out.push_back(first_byte(PacketType::suback));
    append_remaining_length(out, 2 + granted.size());
    append_u16(out, packet_id);
    out.insert(out.end(), granted.begin(), granted.end());
}

void append_unsuback(base::Bytes& out, std::uint16_t packet_id) {
    append_short(out, PacketType::unsuback, packet_id);
}

void append_pingresp(base::Bytes& out) {
    out.push_back(first_byte(PacketType::pingresp));
    out.push_back(0);
}

void append_publish(base::Bytes& out, std::string_view topic, base::ByteView payload,
                    Delivery delivery) {
    assert(topic.size() <= 0xffff);
    const bool acknowledged = delivery.packet_id != 0;
    const unsigned flags = (acknowledged ? 0x02U : 0U) | (delivery.duplicate ? 0x08U : 0U);
    out.push_back(static_cast<std::uint8_t>(first_byte(PacketType::publish) | flags));
    append_remaining_length(out, 2 + topic.size() + (acknowledged ? 2 : 0) + payload.size());
    append_u16(out, topic.size());
    const auto topic_bytes = base::as_bytes(topic);
    out.insert(out.end(), topic_bytes.begin(), topic_bytes.end());
    if (acknowledged)
        append_u16(out, delivery.packet_id);
    out.insert(out.end(), payload.begin(), payload.end());
}

}  // namespace mitral::cloud::mqtt
