#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace mitral::cloud::log {

// Ends the JSON object that begins at `begin` with `,"crc32c":"0a1b2c3d"}` and a line feed: CRC-32C
// (RFC 3720 §B.4) of what stands before the comma. It finds damage; it does not keep anybody from
// forging a line.
void seal_line(std::string& out, std::size_t begin);

// The offset of a line (without its line feed); none: it is damaged. Of lines that older versions
// wrote, which have no checksum, the form alone is looked at.
[[nodiscard]] std::optional<std::uint64_t> offset_of(std::string_view line) noexcept;

// What stands in its head, whatever follows.
[[nodiscard]] std::optional<std::uint64_t> claimed_offset_of(std::string_view line) noexcept;

}  // namespace mitral::cloud::log
