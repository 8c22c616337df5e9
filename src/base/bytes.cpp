#include "base/bytes.hpp"

#include <cassert>
#include <limits>

namespace mitral::base {
namespace {

void append_big_endian(Bytes& out, std::uint64_t value, unsigned octets) {
    while (octets-- > 0)
        out.push_back(static_cast<std::uint8_t>(value >> (8 * octets)));
}

}  // namespace

Bytes to_bytes(std::string_view text) {
    const auto view = as_bytes(text);
    return {view.begin(), view.end()};
}

bool equal_constant_time(ByteView a, ByteView b) noexcept {
    if (a.size() != b.size())
        return false;
    unsigned difference = 0;
    for (std::size_t i = 0; i < a.size(); ++i)
        difference |= static_cast<unsigned>(a[i] ^ b[i]);
    return difference == 0;
}

std::optional<ByteView> ByteReader::block16() noexcept {
    const auto start = position_;
    if (const auto size = u16()) {
        if (const auto block = take(*size))
            return block;
    }
    position_ = start;
    return std::nullopt;
}

std::optional<ByteView> ByteReader::block32() noexcept {
    const auto start = position_;
    if (const auto size = u32()) {
        if (const auto block = take(*size))
            return block;
    }
    position_ = start;
    return std::nullopt;
}

std::optional<std::string_view> ByteReader::text16() noexcept {
    const auto block = block16();
    return block ? std::optional(as_text(*block)) : std::nullopt;
}

ByteWriter& ByteWriter::u8(std::uint8_t value) {
    bytes_.push_back(value);
    return *this;
}
ByteWriter& ByteWriter::u16(std::uint16_t value) {
    append_big_endian(bytes_, value, 2);
    return *this;
}
ByteWriter& ByteWriter::u32(std::uint32_t value) {
    append_big_endian(bytes_, value, 4);
    return *this;
}
ByteWriter& ByteWriter::u64(std::uint64_t value) {
    append_big_endian(bytes_, value, 8);
    return *this;
}
ByteWriter& ByteWriter::raw(ByteView bytes) {
    bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
    return *this;
}
ByteWriter& ByteWriter::text(std::string_view bytes) {
    return raw(as_bytes(bytes));
}

ByteWriter& ByteWriter::block16(ByteView bytes) {
    assert(bytes.size() <= std::numeric_limits<std::uint16_t>::max());
    return u16(static_cast<std::uint16_t>(bytes.size())).raw(bytes);
}

ByteWriter& ByteWriter::block32(ByteView bytes) {
    assert(bytes.size() <= std::numeric_limits<std::uint32_t>::max());
    return u32(static_cast<std::uint32_t>(bytes.size())).raw(bytes);
}

}  // namespace mitral::base
