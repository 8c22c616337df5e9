#include "cloud/mqtt/packet.hpp"

#include "cloud/error.hpp"

namespace mitral::cloud::mqtt {
namespace {

using base::ByteReader;
using base::fail;

constexpr std::uint8_t connect_reserved = 0x01;
constexpr std::uint8_t connect_clean = 0x02;
constexpr std::uint8_t connect_will = 0x04;
constexpr std::uint8_t connect_will_retain = 0x20;
constexpr std::uint8_t connect_password = 0x40;
constexpr std::uint8_t connect_user = 0x80;
constexpr std::uint8_t protocol_level = 4;

auto malformed(const char* what) {
    return fail(CloudError::malformed_packet, what);
}

std::optional<std::string_view> text(ByteReader& reader) {
    const auto value = reader.text16();
    if (!value || !is_mqtt_text(*value))
        return std::nullopt;
    return value;
}

// §2.2.2: every type but PUBLISH has fixed flags.
bool flags_allowed(PacketType type, std::uint8_t flags) {
    switch (type) {
        case PacketType::publish:
            return true;
        case PacketType::pubrel:
        case PacketType::subscribe:
        case PacketType::unsubscribe:
            return flags == 0x02;
        default:
            return flags == 0;
    }
}

base::Result<Will> parse_will(ByteReader& reader, std::uint8_t flags) {
    Will will;
    will.qos = (flags >> 3) & 0x03;
    will.retain = (flags & connect_will_retain) != 0;
    if (will.qos > 2)
        return malformed("will with QoS 3");
    const auto topic = text(reader);
    const auto message = reader.block16();
    if (!topic || topic->empty() || !message)
        return malformed("will topic or message");
    will.topic = *topic;
    will.message = *message;
    return will;
}

}  // namespace

base::Result<std::optional<Frame>> next_frame(base::ByteView input, std::size_t limit) {
    if (input.empty())
        return std::nullopt;
    const auto type = static_cast<std::uint8_t>(input[0] >> 4);
    if (type < 1 || type > 14)
        return malformed("reserved packet type");
    Frame frame{.type = static_cast<PacketType>(type),
                .flags = static_cast<std::uint8_t>(input[0] & 0x0f)};
    if (!flags_allowed(frame.type, frame.flags))
        return malformed("reserved flags");

    std::size_t length = 0;
    std::size_t used = 1;
    for (unsigned shift = 0;; shift += 7) {
        if (shift > 21)
            return malformed("remaining length longer than four bytes");
        if (used >= input.size())
            return std::nullopt;
        const std::uint8_t byte = input[used++];
        length |= static_cast<std::size_t>(byte & 0x7f) << shift;
        if ((byte & 0x80) == 0)
            break;
    }
    if (length + used > limit)
        return fail(CloudError::too_large, "packet above the limit");
    if (input.size() - used < length)
        return std::nullopt;
    frame.body = input.subspan(used, length);
    frame.size = used + length;
    return frame;
}

base::Result<Connect> parse_connect(base::ByteView body) {
    ByteReader reader(body);
    Connect connect;
    const auto name = reader.text16();
    const auto level = reader.u8();
    if (!name || !level)
        return malformed("CONNECT header");
    connect.known_protocol = *name == "MQTT" && *level == protocol_level;
    if (!connect.known_protocol)
        return connect;

    const auto flags = reader.u8();
    const auto keep_alive = reader.u16();
    if (!flags || !keep_alive || (*flags & connect_reserved) != 0)
        return malformed("CONNECT flags");
    const bool has_will = (*flags & connect_will) != 0;
    const bool has_user = (*flags & connect_user) != 0;
    const bool has_password = (*flags & connect_password) != 0;
    if (!has_will && (*flags & 0x38) != 0)
        return malformed("will flags without a will");  // [MQTT-3.1.2-11, 13, 15]
    if (has_password && !has_user)
        return malformed("password without a user name");  // [MQTT-3.1.2-22]

    const auto client_id = text(reader);
    if (!client_id)
        return malformed("client identifier");
    connect.client_id = *client_id;
    connect.keep_alive_s = *keep_alive;
    connect.clean_session = (*flags & connect_clean) != 0;
    if (has_will) {
        MITRAL_TRY(connect.will, parse_will(reader, *flags));
    }
    if (has_user) {
        const auto user = text(reader);
        if (!user)
            return malformed("user name");
        connect.user_name = *user;
    }
    if (has_password) {
        const auto password = reader.block16();
        if (!password)
            return malformed("password");
        connect.password = base::as_text(*password);
    }
    if (!reader.done())
        return malformed("bytes after CONNECT");
    return connect;
}

base::Result<Publish> parse_publish(const Frame& frame) {
    Publish publish;
    publish.qos = (frame.flags >> 1) & 0x03;
    publish.duplicate = (frame.flags & 0x08) != 0;
    publish.retain = (frame.flags & 0x01) != 0;
    if (publish.qos > 2)
        return malformed("PUBLISH with QoS 3");  // [MQTT-3.3.1-4]
    if (publish.qos == 0 && publish.duplicate)
        return malformed("DUP with QoS 0");  // [MQTT-3.3.1-2]
    ByteReader reader(frame.body);
    const auto topic = text(reader);
    if (!topic || topic->empty() || topic->find_first_of("+#") != std::string_view::npos)
        return malformed("PUBLISH topic");  // [MQTT-3.3.2-1, 2]
    publish.topic = *topic;
    if (publish.qos > 0) {
        const auto id = reader.u16();
        if (!id || *id == 0)
            return malformed("packet identifier");  // [MQTT-2.3.1-1]
        publish.packet_id = *id;
    }
    publish.payload = *reader.take(reader.remaining());
    return publish;
}

base::Result<Subscribe> parse_subscribe(base::ByteView body) {
    ByteReader reader(body);
    Subscribe subscribe;
    const auto id = reader.u16();
    if (!id || *id == 0)
        return malformed("packet identifier");
    subscribe.packet_id = *id;
    while (!reader.done()) {
        const auto filter = text(reader);
        const auto qos = reader.u8();
        if (!filter || filter->empty() || !qos || *qos > 2)
            return malformed("SUBSCRIBE filter");
        if (subscribe.subscriptions.size() == max_filters)
            return fail(CloudError::too_large, "too many filters");
        subscribe.subscriptions.push_back({*filter, *qos});
    }
    if (subscribe.subscriptions.empty())
        return malformed("SUBSCRIBE without a filter");  // [MQTT-3.8.3-3]
    return subscribe;
}

base::Result<Unsubscribe> parse_unsubscribe(base::ByteView body) {
    ByteReader reader(body);
    Unsubscribe unsubscribe;
    const auto id = reader.u16();
    if (!id || *id == 0)
        return malformed("packet identifier");
    unsubscribe.packet_id = *id;
    while (!reader.done()) {
        const auto filter = text(reader);
        if (!filter || filter->empty())
            return malformed("UNSUBSCRIBE filter");
        if (unsubscribe.filters.size() == max_filters)
            return fail(CloudError::too_large, "too many filters");
        unsubscribe.filters.push_back(*filter);
    }
    if (unsubscribe.filters.empty())
        return malformed("UNSUBSCRIBE without a filter");  // [MQTT-3.10.3-2]
    return unsubscribe;
}

base::Result<std::uint16_t> parse_packet_id(base::ByteView body) {
    ByteReader reader(body);
    const auto id = reader.u16();
    if (!id || *id == 0 || !reader.done())
        return malformed("packet identifier");
    return *id;
}

}  // namespace mitral::cloud::mqtt
