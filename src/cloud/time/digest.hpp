#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>

#include "base/bytes.hpp"

namespace mitral::cloud::time {

// H of RFC 10049: the first 32 bytes of SHA-512.
using Digest = std::array<std::uint8_t, 32>;
[[nodiscard]] Digest digest(std::initializer_list<base::ByteView> parts);

}  // namespace mitral::cloud::time
