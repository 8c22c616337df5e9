// Tag-length-value fields: u8 tag, u16 length, value; tags strictly rising, so that there is one
// encoding of one meaning and a reader in C needs no table.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.hpp"

namespace mitral::vault {

struct Field {
    std::uint8_t tag = 0;
    base::ByteView value;
};

class FieldReader {
  public:
    explicit FieldReader(base::ByteView bytes) noexcept : in_(bytes) {}

    // nullopt at the end and on malformed input; malformed() tells which.
    [[nodiscard]] std::optional<Field> next() noexcept;
    [[nodiscard]] bool malformed() const noexcept { return malformed_; }

  private:
    base::ByteReader in_;
    int last_tag_ = -1;
    bool malformed_ = false;
};

void put_field(base::ByteWriter& out, std::uint8_t tag, base::ByteView value);
void put_field(base::ByteWriter& out, std::uint8_t tag, std::string_view value);
void put_field(base::ByteWriter& out, std::uint8_t tag, std::uint32_t value);
void put_field(base::ByteWriter& out, std::uint8_t tag, std::uint64_t value);

[[nodiscard]] std::optional<std::uint32_t> field_u32(base::ByteView value) noexcept;
[[nodiscard]] std::optional<std::uint64_t> field_u64(base::ByteView value) noexcept;

}  // namespace mitral::vault
