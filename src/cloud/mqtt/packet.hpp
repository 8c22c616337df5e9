// MQTT 3.1.1 (OASIS standard, 29 October 2014) as a server reads and writes it. Pure functions over
// bytes; views point into the input and live as long as it does. Section numbers are the
// standard's.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace mitral::cloud::mqtt {

enum class PacketType : std::uint8_t {  // §2.2.1
    connect = 1,
    connack = 2,
    publish = 3,
    puback = 4,
    pubrec = 5,
    pubrel = 6,
    pubcomp = 7,
    subscribe = 8,
    suback = 9,
    unsubscribe = 10,
    unsuback = 11,
    pingreq = 12,
    pingresp = 13,
    disconnect = 14,
};

struct Frame {
    PacketType type = PacketType::connect;
    std::uint8_t flags = 0;
    base::ByteView body{};
    std::size_t size = 0;  // of the whole packet, header included
};

// The first packet of `input`; nullopt when it is not complete yet. A packet larger than `limit`
// bytes is refused as soon as its length is known (§2.2.3), reserved types and flags at the first
// byte (§2.2.2).
[[nodiscard]] base::Result<std::optional<Frame>> next_frame(base::ByteView input,
                                                            std::size_t limit);

struct Will {
    std::string_view topic;
    base::ByteView message;
    std::uint8_t qos = 0;
    bool retain = false;
};

struct Connect {
    bool known_protocol = false;  // name "MQTT", level 4; the other members are unset when false
    std::string_view client_id;
    std::string_view user_name;
    std::string_view password;
    std::optional<Will> will;
    std::uint16_t keep_alive_s = 0;  // 0: the client asks for none
    bool clean_session = true;
};
[[nodiscard]] base::Result<Connect> parse_connect(base::ByteView body);

struct Publish {
    std::string_view topic{};
    base::ByteView payload{};
    std::uint16_t packet_id = 0;  // 0 with QoS 0
    std::uint8_t qos = 0;
    bool duplicate = false;
    bool retain = false;
};
[[nodiscard]] base::Result<Publish> parse_publish(const Frame& frame);

struct Subscription {
    std::string_view filter;
    std::uint8_t qos = 0;
};
struct Subscribe {
    std::uint16_t packet_id = 0;
    std::vector<Subscription> subscriptions;  // 1 to max_filters
};
struct Unsubscribe {
    std::uint16_t packet_id = 0;
    std::vector<std::string_view> filters;
};
inline constexpr std::size_t max_filters = 64;  // in one packet
[[nodiscard]] base::Result<Subscribe> parse_subscribe(base::ByteView body);
[[nodiscard]] base::Result<Unsubscribe> parse_unsubscribe(base::ByteView body);
[[nodiscard]] base::Result<std::uint16_t> parse_packet_id(base::ByteView body);

enum class ConnectCode : std::uint8_t {  // §3.2.2.3
    accepted = 0,
    unacceptable_protocol = 1,
    identifier_rejected = 2,
    server_unavailable = 3,
    bad_user_name_or_password = 4,
    not_authorised = 5,
};

void append_connack(base::Bytes& out, bool session_present, ConnectCode code);
void append_puback(base::Bytes& out, std::uint16_t packet_id);
void append_suback(base::Bytes& out, std::uint16_t packet_id,
                   const std::vector<std::uint8_t>& granted);
void append_unsuback(base::Bytes& out, std::uint16_t packet_id);
void append_pingresp(base::Bytes& out);
// How a message is sent with QoS 1; packet id 0: QoS 0.
struct Delivery {
    std::uint16_t packet_id = 0;
    bool duplicate = false;
};
// Precondition: topic ≤ 65,535 bytes and the packet below 256 MiB; the writer asserts it.
void append_publish(base::Bytes& out, std::string_view topic, base::ByteView payload,
                    Delivery delivery = {});

// §1.5.3 and §4.7: well-formed UTF-8 without U+0000 and surrogates.
[[nodiscard]] bool is_mqtt_text(std::string_view text) noexcept;

}  // namespace mitral::cloud::mqtt
