// Byte strings and bounds-checked cursors over them. Multi-byte integers are big-endian unless the
// name says so.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace mitral::base {

using Bytes = std::vector<std::uint8_t>;
using ByteView = std::span<const std::uint8_t>;
using MutableByteView = std::span<std::uint8_t>;

[[nodiscard]] inline ByteView as_bytes(std::string_view text) noexcept {
    return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}
[[nodiscard]] inline std::string_view as_text(ByteView bytes) noexcept {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
[[nodiscard]] Bytes to_bytes(std::string_view text);

// Compares without a data-dependent branch; lengths are not secret.
[[nodiscard]] bool equal_constant_time(ByteView a, ByteView b) noexcept;

// Reads a hostile buffer. A read past the end yields nullopt and leaves the cursor where it was.
class ByteReader {
  public:
    explicit ByteReader(ByteView data) noexcept : data_(data) {}

    [[nodiscard]] std::optional<std::uint8_t> u8() noexcept { return integer<std::uint8_t>(); }
    [[nodiscard]] std::optional<std::uint16_t> u16() noexcept { return integer<std::uint16_t>(); }
    [[nodiscard]] std::optional<std::uint32_t> u32() noexcept { return integer<std::uint32_t>(); }
    [[nodiscard]] std::optional<std::uint64_t> u64() noexcept { return integer<std::uint64_t>(); }
    [[nodiscard]] std::optional<ByteView> take(std::size_t count) noexcept {
        if (count > remaining())
            return std::nullopt;
        const auto view = data_.subspan(position_, count);
        position_ += count;
        return view;
    }
    // A u16 (u32) length, then that many bytes.
    [[nodiscard]] std::optional<ByteView> block16() noexcept;
    [[nodiscard]] std::optional<ByteView> block32() noexcept;
    [[nodiscard]] std::optional<std::string_view> text16() noexcept;

    [[nodiscard]] std::size_t remaining() const noexcept { return data_.size() - position_; }
    [[nodiscard]] std::size_t position() const noexcept { return position_; }
    [[nodiscard]] bool done() const noexcept { return remaining() == 0; }

  private:
    template <typename Integer>
    std::optional<Integer> integer() noexcept {
        const auto bytes = take(sizeof(Integer));
        if (!bytes)
            return std::nullopt;
        std::uint64_t value = 0;
        for (const std::uint8_t byte : *bytes)
            value = value << 8 | byte;
        return static_cast<Integer>(value);
    }

    ByteView data_;
    std::size_t position_ = 0;
};

// Appends to a growing buffer.
class ByteWriter {
  public:
    ByteWriter& u8(std::uint8_t value);
    ByteWriter& u16(std::uint16_t value);
    ByteWriter& u32(std::uint32_t value);
    ByteWriter& u64(std::uint64_t value);
    ByteWriter& raw(ByteView bytes);
    ByteWriter& text(std::string_view bytes);
    // Precondition: the block fits its length field; the writer asserts it.
    ByteWriter& block16(ByteView bytes);
    ByteWriter& block32(ByteView bytes);
    ByteWriter& text16(std::string_view bytes) { return block16(as_bytes(bytes)); }

    [[nodiscard]] const Bytes& bytes() const& noexcept { return bytes_; }
    [[nodiscard]] Bytes bytes() && noexcept { return std::move(bytes_); }

  private:
    Bytes bytes_;
};

}  // namespace mitral::base
