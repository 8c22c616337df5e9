// Lines of a segment, straight from its file.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.hpp"

namespace mitral::cloud::log {

// No line that was ever written is longer: a message has 256 KB, which grow sixfold at worst.
inline constexpr std::size_t longest_line = 4 * 1024 * 1024;

// About `limit` bytes of whole lines from `position` on, or one line that is longer. Without a line
// feed at its end it is no line: all `available` bytes, or longest_line of them, hold none.
[[nodiscard]] base::Result<std::string> read_lines(int fd, std::uint64_t position,
                                                   std::uint64_t available, std::size_t limit);

// Where the first line begins whose head says `offset` or more; `bytes` when there is none.
[[nodiscard]] base::Result<std::uint64_t> find_offset(int fd, std::uint64_t bytes,
                                                      std::uint64_t offset);

}  // namespace mitral::cloud::log
