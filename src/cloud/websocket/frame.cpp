#include "cloud/websocket/frame.hpp"

namespace mitral::cloud::websocket {
namespace {

constexpr std::uint8_t final_bit = 0x80;
constexpr std::uint8_t reserved_bits = 0x70;
constexpr std::uint8_t mask_bit = 0x80;
constexpr std::uint8_t length_in_u16 = 126;
constexpr std::uint8_t length_in_u64 = 127;
constexpr std::uint64_t longest = (std::uint64_t{1} << 63) - 1;

std::unexpected<Violation> refuse(std::string_view what) {
    return std::unexpected(Violation{CloseCode::protocol_error, what});
}

bool is_known(Opcode opcode) noexcept {
    switch (opcode) {
        case Opcode::continuation:
        case Opcode::text:
        case Opcode::binary:
        case Opcode::close:
        case Opcode::ping:
        case Opcode::pong:
            return true;
    }
    return false;
}

// What the first two bytes already tell is judged without waiting for more.
Checked<FrameHeader> judge_first_bytes(std::uint8_t first, std::uint8_t second) {
    if ((first & reserved_bits) != 0)
        return refuse("reserved bits are set");
    FrameHeader header{.opcode = static_cast<Opcode>(first & 0x0f),
                       .final = (first & final_bit) != 0};
    if (!is_known(header.opcode))
        return refuse("reserved opcode");
    header.length = second & 0x7f;
    if (header.is_control() && !header.final)
        return refuse("control frame in fragments");
    if (header.is_control() && header.length > max_control_payload)
        return refuse("control frame above 125 bytes");
    return header;
}

bool may_be_sent(std::uint16_t code) noexcept {
    // 1004 to 1006 and 1015 are reserved, 1012 to 1014 registered with IANA.
    return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
           (code >= 3000 && code <= 4999);
}

}  // namespace

Checked<std::optional<FrameHeader>> parse_frame_header(base::ByteView input) {
    base::ByteReader reader(input);
    const auto first = reader.u8();
    const auto second = reader.u8();
    if (!second)
        return std::nullopt;
    auto header = judge_first_bytes(*first, *second);
    if (!header)
        return std::unexpected(header.error());
    if (header->length >= length_in_u16) {
        const bool wide = header->length == length_in_u64;
        const auto length = wide ? reader.u64() : std::optional<std::uint64_t>(reader.u16());
        if (!length)
            return std::nullopt;
        if (*length > longest)
            return refuse("length of 2^63 or more");
        if (*length <= (wide ? std::uint64_t{0xffff} : max_control_payload))
            return refuse("length in more bytes than it needs");
        header->length = *length;
    }
    if ((*second & mask_bit) != 0) {
        const auto key = reader.take(4);
        if (!key)
            return std::nullopt;
        header->mask = MaskingKey{(*key)[0], (*key)[1], (*key)[2], (*key)[3]};
    }
    header->size = reader.position();
    return *header;
}

void apply_mask(base::MutableByteView bytes, const MaskingKey& key, std::uint64_t offset) noexcept {
    for (std::size_t i = 0; i < bytes.size(); ++i)
        bytes[i] ^= key[(offset + i) % key.size()];
}

Checked<std::optional<CloseCode>> parse_close(base::ByteView payload) {
    if (payload.empty())
        return std::nullopt;
    const auto code = base::ByteReader(payload).u16();
    if (!code)
        return refuse("half a close code");
    if (!may_be_sent(*code))
        return refuse("close code that must not be sent");
    return static_cast<CloseCode>(*code);
}

void append_frame_header(base::Bytes& out, Opcode opcode, std::uint64_t length) {
    base::ByteWriter header;
    header.u8(final_bit | static_cast<std::uint8_t>(opcode));
    if (length <= max_control_payload)
        header.u8(static_cast<std::uint8_t>(length));
    else if (length <= 0xffff)
        header.u8(length_in_u16).u16(static_cast<std::uint16_t>(length));
    else
        header.u8(length_in_u64).u64(length);
    out.insert(out.end(), header.bytes().begin(), header.bytes().end());
}

void append_close(base::Bytes& out, std::optional<CloseCode> code) {
    append_frame_header(out, Opcode::close, code ? 2 : 0);
    if (!code)
        return;
    const auto value = static_cast<std::uint16_t>(*code);
    out.push_back(static_cast<std::uint8_t>(value >> 8));
    out.push_back(static_cast<std::uint8_t>(value & 0xff));
}

}  // namespace mitral::cloud::websocket
