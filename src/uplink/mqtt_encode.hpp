// The four packets this client can say: CONNECT, PUBLISH, PINGREQ, DISCONNECT (MQTT 3.1.1, OASIS
// 2014). There is no encoder for anything that asks the hub to send: that is half of what makes the
// gateway one-way (I3). No I/O, no state.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"

namespace mitral::uplink {

// First bytes of every packet that may leave (§2.2): type and flags. PUBLISH is QoS 1, not
// retained.
constexpr std::uint8_t connect_header = 0x10;
constexpr std::uint8_t publish_header = 0x32;
constexpr std::uint8_t pingreq_header = 0xC0;
constexpr std::uint8_t disconnect_header = 0xE0;
constexpr std::array<std::uint8_t, 4> outbound_headers{connect_header, publish_header,
                                                       pingreq_header, disconnect_header};

// What the hub takes: body, system values and properties (AZURE quota page); the topic carries the
// last two.
constexpr std::size_t max_message_size = 256 * 1024;

struct ConnectFields {
    std::string_view client_id;
    std::string_view username;
    base::ByteView password;  // the token; copied into the packet, the caller wipes its own
    std::uint16_t keep_alive_s = 60;
};

// In a Secret, for it holds the token. Fails with UplinkError::too_large (a field above 64 KiB).
[[nodiscard]] base::Result<base::Secret> encode_connect(const ConnectFields& fields);

// In two pieces, of which the first is the same for every message of a device.
struct Topic {
    std::string_view head;
    std::string_view tail = {};

    [[nodiscard]] std::size_t size() const noexcept { return head.size() + tail.size(); }
};

// Appends. DUP is never set: a message that is sent again goes out in a new session, where the
// packet id means nothing (§3.3.1.1); the consumer knows a redelivery by its message id.
// Fails with UplinkError::too_large and leaves `out` as it was.
[[nodiscard]] base::Status append_publish(base::Bytes& out, Topic topic, std::uint16_t packet_id,
                                          base::ByteView payload);
void append_pingreq(base::Bytes& out);
void append_disconnect(base::Bytes& out);

}  // namespace mitral::uplink
