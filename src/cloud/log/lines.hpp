#pragma once

#include <cstdint>

#include "base/result.hpp"

namespace mitral::cloud::log {

struct LineCount {
    std::uint64_t count = 0;
    std::uint64_t whole_bytes = 0;  // up to and with the last line feed
};

// Reads the file from its start, without moving its position.
[[nodiscard]] base::Result<LineCount> count_lines(int fd);

// The position in the file after `skip` lines (or its last line, whichever comes first).
[[nodiscard]] base::Result<LineCount> skip_lines(int fd, std::uint64_t skip);

}  // namespace mitral::cloud::log
