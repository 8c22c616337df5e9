#include "uplink/mqtt_decode.hpp"

#include <fmt/format.h>

namespace mitral::uplink {
namespace {

constexpr std::uint8_t connack_type = 2;
constexpr std::uint8_t puback_type = 4;
constexpr std::uint8_t pingresp_type = 13;
constexpr std::uint8_t last_return_code = 5;  // §3.2.2.3

std::string_view packet_name(std::uint8_t type) {
    constexpr std::array<std::string_view, 16> names{
        "reserved type 0", "CONNECT",  "CONNACK",    "PUBLISH", "PUBACK",  "PUBREC",
        "PUBREL",          "PUBCOMP",  "type 8",     "SUBACK",  "type 10", "UNSUBACK",
        "PINGREQ",         "PINGRESP", "DISCONNECT", "AUTH"};
    return names[type & 0x0F];
}

std::optional<Violation::Kind> judge_header(std::uint8_t header) {
    const auto type = static_cast<std::uint8_t>(header >> 4);
    if (type != connack_type && type != puback_type && type != pingresp_type)
        return Violation::Kind::forbidden_packet;
    if ((header & 0x0FU) != 0)
        return Violation::Kind::reserved_flags;
    return std::nullopt;
}

std::uint8_t expected_length(std::uint8_t header) {
    return header >> 4 == pingresp_type ? 0 : 2;
}

std::expected<std::optional<Inbound>, Violation> interpret(
    const std::array<std::uint8_t, 4>& packet) {
    const std::uint8_t header = packet[0];
    Inbound inbound;
    if (header >> 4 == pingresp_type)
        return inbound;
    if (header >> 4 == puback_type) {
        inbound.kind = Inbound::Kind::puback;
        inbound.packet_id = static_cast<std::uint16_t>(packet[2] << 8 | packet[3]);
        if (inbound.packet_id == 0)
            return std::unexpected(Violation{Violation::Kind::zero_packet_id, header});
        return inbound;
    }
    inbound.kind = Inbound::Kind::connack;
    if ((packet[2] & 0xFEU) != 0)  // §3.2.2.1
        return std::unexpected(Violation{Violation::Kind::reserved_flags, header});
    if (packet[3] > last_return_code)
        return std::unexpected(Violation{Violation::Kind::reserved_return_code, header});
    inbound.session_present = packet[2] == 1;
    inbound.return_code = packet[3];
    return inbound;
}

}  // namespace

std::string_view to_string(Violation::Kind kind) noexcept {
    switch (kind) {
        case Violation::Kind::forbidden_packet:
            return "forbidden-packet";
        case Violation::Kind::reserved_flags:
            return "reserved-flags";
        case Violation::Kind::wrong_length:
            return "wrong-length";
        case Violation::Kind::reserved_return_code:
            return "reserved-return-code";
        case Violation::Kind::zero_packet_id:
            return "zero-packet-id";
        case Violation::Kind::answer_before_connack:
            return "answer-before-connack";
        case Violation::Kind::second_connack:
            return "second-connack";
        case Violation::Kind::session_present:
            return "session-present";
        case Violation::Kind::unknown_packet_id:
            return "unknown-packet-id";
        case Violation::Kind::unasked_pingresp:
            return "unasked-pingresp";
    }
    return "unknown-violation";
}

std::string describe(Violation violation) {
    return fmt::format("{} ({}, first byte 0x{:02x})", to_string(violation.kind),
                       packet_name(static_cast<std::uint8_t>(violation.header >> 4)),
                       violation.header);
}

std::expected<std::optional<Inbound>, Violation> Decoder::next(base::ByteView& data) {
    while (!data.empty()) {
        packet_[have_++] = data.front();
        data = data.subspan(1);
        // Judge each byte as it comes: a forbidden packet is refused on its first byte.
        if (have_ == 1) {
            if (const auto wrong = judge_header(packet_[0]))
                return std::unexpected(Violation{*wrong, packet_[0]});
            continue;
        }
        const std::uint8_t length = expected_length(packet_[0]);
        if (have_ == 2 && packet_[1] != length)
            return std::unexpected(Violation{Violation::Kind::wrong_length, packet_[0]});
        if (have_ == 2U + length) {
            have_ = 0;
            return interpret(packet_);
        }
    }
    return std::nullopt;
}

}  // namespace mitral::uplink
