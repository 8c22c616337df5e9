// What the disk says of the volume: its wrapped key, twice, and nothing else. One copy:
//
//   "MVH1" | u16 length and the wrapped key | SHA-256 of what stands before | zeros
//
// It fits the 512 bytes that a disk writes whole or not at all.
#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace mitral::volume {

constexpr std::size_t header_copy_size = 512;
constexpr std::size_t header_size = 2 * header_copy_size;

enum class HeaderState { empty, whole, damaged };
struct Header {
    HeaderState state = HeaderState::empty;
    base::Bytes wrapped;  // of a whole one
};

// One copy that is whole is enough; damaged: something was there, and neither is.
[[nodiscard]] Header read_header(base::ByteView bytes);
// Both copies. `wrapped`: 1 … 256 bytes.
[[nodiscard]] base::Bytes write_header(base::ByteView wrapped);

}  // namespace mitral::volume
