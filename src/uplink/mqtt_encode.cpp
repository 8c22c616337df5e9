#include "uplink/mqtt_encode.hpp"

#include <algorithm>
#include <string>

#include "uplink/error.hpp"

namespace mitral::uplink {
namespace {

constexpr std::size_t max_field = 0xFFFF;
constexpr std::uint8_t protocol_level = 4;  // §3.1.2.2
// §3.1.2.3. Clean session: this client never receives application messages, so the hub has nothing
// to keep for it. A clean session also throws away what somebody else with a stolen token may have
// set up under this id, so that nothing is ever delivered to us.
constexpr std::uint8_t connect_flags = 0x80 /* username */ | 0x40 /* password */ | 0x02 /* clean */;

// Remaining length, §2.2.3.
template <typename Put>
void put_length(std::size_t length, Put put) {
    do {
        auto digit = static_cast<std::uint8_t>(length % 128);
        length /= 128;
        put(static_cast<std::uint8_t>(length > 0 ? digit | 0x80U : digit));
    } while (length > 0);
}

std::size_t length_size(std::size_t length) {
    std::size_t size = 0;
    put_length(length, [&size](std::uint8_t) { ++size; });
    return size;
}

// Fills memory of known size; the packet with the token must not pass through a growing buffer,
// which would leave copies behind.
class Filler {
  public:
    explicit Filler(base::MutableByteView into) : rest_(into) {}
    void u8(std::uint8_t value) {
        rest_[0] = value;
        rest_ = rest_.subspan(1);
    }
    void field(base::ByteView bytes) {
        u8(static_cast<std::uint8_t>(bytes.size() >> 8));
        u8(static_cast<std::uint8_t>(bytes.size() & 0xFF));
        std::copy(bytes.begin(), bytes.end(), rest_.begin());
        rest_ = rest_.subspan(bytes.size());
    }

  private:
    base::MutableByteView rest_;
};

}  // namespace

base::Result<base::Secret> encode_connect(const ConnectFields& fields) {
    const auto client_id = base::as_bytes(fields.client_id);
    const auto username = base::as_bytes(fields.username);
    if (client_id.size() > max_field || username.size() > max_field ||
        fields.password.size() > max_field)
        return base::fail(UplinkError::too_large, "CONNECT with a field above 65535 bytes");

    const std::string_view protocol = "MQTT";
    const std::size_t remaining = 2 + protocol.size() + 1 + 1 + 2 + 2 + client_id.size() + 2 +
                                  username.size() + 2 + fields.password.size();
    base::Secret packet(1 + length_size(remaining) + remaining);
    Filler filler(packet.bytes());
    filler.u8(connect_header);
    put_length(remaining, [&filler](std::uint8_t digit) { filler.u8(digit); });
    filler.field(base::as_bytes(protocol));
    filler.u8(protocol_level);
    filler.u8(connect_flags);
    filler.u8(static_cast<std::uint8_t>(fields.keep_alive_s >> 8));
    filler.u8(static_cast<std::uint8_t>(fields.keep_alive_s & 0xFF));
    filler.field(client_id);
    filler.field(username);
    filler.field(fields.password);
    return packet;
}

base::Status append_publish(base::Bytes& out, Topic topic, std::uint16_t packet_id,
                            base::ByteView payload) {
    if (topic.size() > max_field || topic.size() + payload.size() > max_message_size)
        return base::fail(UplinkError::too_large,
                          "a message of " + std::to_string(topic.size() + payload.size()) +
                              " bytes; the hub takes 262144 with its topic");
    const auto append = [&out](base::ByteView bytes) {
        out.insert(out.end(), bytes.begin(), bytes.end());
    };
    out.push_back(publish_header);
    put_length(2 + topic.size() + 2 + payload.size(),
               [&out](std::uint8_t digit) { out.push_back(digit); });
    out.push_back(static_cast<std::uint8_t>(topic.size() >> 8));
    out.push_back(static_cast<std::uint8_t>(topic.size() & 0xFF));
    append(base::as_bytes(topic.head));
    append(base::as_bytes(topic.tail));
    out.push_back(static_cast<std::uint8_t>(packet_id >> 8));
    out.push_back(static_cast<std::uint8_t>(packet_id & 0xFF));
    append(payload);
    return {};
}

void append_pingreq(base::Bytes& out) {
    out.push_back(pingreq_header);
    out.push_back(0);
}

void append_disconnect(base::Bytes& out) {
    out.push_back(disconnect_header);
    out.push_back(0);
}

}  // namespace mitral::uplink
