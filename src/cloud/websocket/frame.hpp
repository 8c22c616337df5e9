// WebSocket frames (RFC 6455 §5) as a server reads and writes them. Pure functions over bytes.
// Why no library does it: docs/decisions/0010-websocket-frames.md.
#pragma once

#include <array>
#include <cstdint>
#include <expected>
#include <optional>
#include <string_view>

#include "base/bytes.hpp"

namespace mitral::cloud::websocket {

enum class Opcode : std::uint8_t {  // §5.2; 8 and above are control frames
    continuation = 0x0,
    text = 0x1,
    binary = 0x2,
    close = 0x8,
    ping = 0x9,
    pong = 0xa,
};

enum class CloseCode : std::uint16_t {  // §7.4.1; a peer may send others
    normal = 1000,
    protocol_error = 1002,
    unsupported_data = 1003,
    message_too_big = 1009,
    internal_error = 1011,
};

// Why the connection fails (§7.1.7), and what the peer is told.
struct Violation {
    CloseCode code;
    std::string_view what;
};
template <typename T>
using Checked = std::expected<T, Violation>;

using MaskingKey = std::array<std::uint8_t, 4>;

inline constexpr std::size_t max_control_payload = 125;  // §5.5

struct FrameHeader {
    Opcode opcode = Opcode::binary;
    bool final = true;
    std::optional<MaskingKey> mask{};
    std::uint64_t length = 0;  // of the payload, below 2^63
    std::size_t size = 2;      // of the header itself, 2 to 14

    [[nodiscard]] bool is_control() const noexcept { return opcode >= Opcode::close; }
};

// The header at the front of `input`; nullopt when it is not complete yet. Refused: reserved bits
// and opcodes, control frames in fragments or too long, lengths in more bytes than they need.
[[nodiscard]] Checked<std::optional<FrameHeader>> parse_frame_header(base::ByteView input);

// Masks or unmasks (§5.3) bytes that stand at `offset` in their frame's payload.
void apply_mask(base::MutableByteView bytes, const MaskingKey& key, std::uint64_t offset) noexcept;

// The code in the payload of a Close frame, if there is one (§5.5.1); codes that must not be sent
// are refused (§7.4). The reason after it is not looked at.
[[nodiscard]] Checked<std::optional<CloseCode>> parse_close(base::ByteView payload);

// A frame that is a whole message, unmasked, as servers send them.
void append_frame_header(base::Bytes& out, Opcode opcode, std::uint64_t length);
void append_close(base::Bytes& out, std::optional<CloseCode> code);

}  // namespace mitral::cloud::websocket
