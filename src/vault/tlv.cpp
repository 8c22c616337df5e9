#include "vault/tlv.hpp"

namespace mitral::vault {

std::optional<Field> FieldReader::next() noexcept {
    if (malformed_ || in_.done())
        return std::nullopt;
    const auto tag = in_.u8();
    const auto value = in_.block16();
    if (!tag || !value || int{*tag} <= last_tag_) {
        malformed_ = true;
        return std::nullopt;
    }
    last_tag_ = *tag;
    return Field{*tag, *value};
}

void put_field(base::ByteWriter& out, std::uint8_t tag, base::ByteView value) {
    out.u8(tag).block16(value);
}

void put_field(base::ByteWriter& out, std::uint8_t tag, std::string_view value) {
    out.u8(tag).text16(value);
}

void put_field(base::ByteWriter& out, std::uint8_t tag, std::uint32_t value) {
    out.u8(tag).u16(4).u32(value);
}

void put_field(base::ByteWriter& out, std::uint8_t tag, std::uint64_t value) {
    out.u8(tag).u16(8).u64(value);
}

std::optional<std::uint32_t> field_u32(base::ByteView value) noexcept {
    base::ByteReader in(value);
    const auto number = in.u32();
    return in.done() ? number : std::nullopt;
}

std::optional<std::uint64_t> field_u64(base::ByteView value) noexcept {
    base::ByteReader in(value);
    const auto number = in.u64();
    return in.done() ? number : std::nullopt;
}

}  // namespace mitral::vault
