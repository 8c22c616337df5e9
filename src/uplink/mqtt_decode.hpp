// The three packets this client can hear: CONNACK, PUBACK, PINGRESP. Everything else is a violation
// and closes the link. All three have a fixed size of at most four bytes, so that nothing the hub
// sends is ever buffered beyond four bytes, whatever length it announces. No I/O.
#pragma once

#include <array>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.hpp"

namespace mitral::uplink {

struct Inbound {
    enum class Kind : std::uint8_t { connack, puback, pingresp };
    Kind kind = Kind::pingresp;
    bool session_present = false;  // CONNACK
    std::uint8_t return_code = 0;  // CONNACK, 0…5
    std::uint16_t packet_id = 0;   // PUBACK, not 0
};

struct Violation {
    enum class Kind : std::uint8_t {
        forbidden_packet,      // a type a publish-only client never gets
        reserved_flags,        // §2.2.2, or bits 7…1 of CONNACK's first byte
        wrong_length,          // another remaining length than the type has
        reserved_return_code,  // CONNACK above 5
        zero_packet_id,        // §2.3.1
        // From the session, which knows what was said before:
        answer_before_connack,
        second_connack,
        session_present,  // after a clean session §3.2.2.2
        unknown_packet_id,
        unasked_pingresp,
    };
    Kind kind = Kind::forbidden_packet;
    std::uint8_t header = 0;  // first byte of the packet
};
[[nodiscard]] std::string_view to_string(Violation::Kind kind) noexcept;
// For the log: "forbidden-packet (SUBACK, first byte 0x90)".
[[nodiscard]] std::string describe(Violation violation);

class Decoder {
  public:
    // Takes bytes from the front of `data` up to the end of the first packet. nullopt: all taken
    // and no packet complete yet. After a violation only destruction is left.
    [[nodiscard]] std::expected<std::optional<Inbound>, Violation> next(base::ByteView& data);

  private:
    std::array<std::uint8_t, 4> packet_{};
    std::size_t have_ = 0;
};

}  // namespace mitral::uplink
