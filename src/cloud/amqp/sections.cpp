#include "cloud/amqp/sections.hpp"

#include <cstdint>

#include "cloud/amqp/encoding.hpp"

namespace mitral::cloud::amqp {
namespace {

constexpr std::uint64_t header_section = 0x70;
constexpr std::uint64_t footer_section = 0x78;
constexpr std::size_t with_small_code = 3;  // 00 53 77
constexpr std::size_t with_long_code = 10;

// How many bytes of a section stand before its value; 0: none is there.
std::size_t head_size(base::ByteView bytes) {
    if (bytes.size() < 2 || bytes[0] != 0)
        return 0;
    const std::size_t size = bytes[1] == 0x53   ? with_small_code
                             : bytes[1] == 0x80 ? with_long_code
                                                : 0;
    if (size == 0 || bytes.size() < size)
        return 0;
    std::uint64_t code = 0;
    for (const auto octet : bytes.first(size).subspan(2))
        code = code << 8U | octet;
    return code >= header_section && code <= footer_section ? size : 0;
}

}  // namespace

bool are_sections(base::ByteView bytes) {
    while (!bytes.empty()) {
        const auto head = head_size(bytes);
        EncodedValues rest(bytes.subspan(head));
        if (head == 0 || !rest.skip())
            return false;
        bytes = rest.remaining();
    }
    return true;
}

}  // namespace mitral::cloud::amqp
