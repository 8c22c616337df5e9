#include "cloud/amqp/sections.hpp"

#include <cstdint>
#include <optional>

namespace mitral::cloud::amqp {
namespace {

constexpr std::uint8_t described = 0x00;
constexpr std::uint64_t header_section = 0x70;
constexpr std::uint64_t footer_section = 0x78;

// Takes a number of so many bytes from the front.
std::optional<std::uint64_t> take_number(base::ByteView& bytes, std::size_t size) {
    if (bytes.size() < size)
        return std::nullopt;
    std::uint64_t number = 0;
    for (const auto octet : bytes.first(size))
        number = number << 8U | octet;
    bytes = bytes.subspan(size);
    return number;
}

// How many bytes follow a constructor: its upper half says so.
std::optional<std::uint64_t> take_size(base::ByteView& bytes, std::uint8_t constructor) {
    switch (constructor >> 4U) {
        case 0x4:
            return 0;
        case 0x5:
        case 0x6:
        case 0x7:
        case 0x8:
        case 0x9:
            return std::uint64_t{1} << ((constructor >> 4U) - 5U);
        case 0xa:
        case 0xc:
        case 0xe:
            return take_number(bytes, 1);
        case 0xb:
        case 0xd:
        case 0xf:
            return take_number(bytes, 4);
        default:
            return std::nullopt;
    }
}

bool skip_plain_value(base::ByteView& bytes) {
    const auto constructor = take_number(bytes, 1);
    const auto size =
        constructor ? take_size(bytes, static_cast<std::uint8_t>(*constructor)) : std::nullopt;
    if (!size || *size > bytes.size())
        return false;
    bytes = bytes.subspan(*size);
    return true;
}

bool skip_value(base::ByteView& bytes) {
    if (bytes.empty() || bytes.front() != described)
        return skip_plain_value(bytes);
    bytes = bytes.subspan(1);
    return skip_plain_value(bytes) && skip_plain_value(bytes);
}

bool skip_section(base::ByteView& bytes) {
    const auto start = take_number(bytes, 2);
    const auto code = take_number(bytes, start == 0x0053 ? 1 : start == 0x0080 ? 8 : 0);
    return code && *code >= header_section && *code <= footer_section && skip_value(bytes);
}

}  // namespace

bool are_sections(base::ByteView bytes) {
    while (!bytes.empty())
        if (!skip_section(bytes))
            return false;
    return true;
}

}  // namespace mitral::cloud::amqp
