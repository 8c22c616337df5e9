#pragma once

#include <cstdint>
#include <string>

#include "base/fd.hpp"
#include "cloud/log/message_log.hpp"

namespace mitral::cloud::log {

// Reads a message log from an offset on, whole lines, while it is being written. An offset that was
// already dropped starts at the oldest message, one in the future at the end.
class Tail {
  public:
    Tail(const MessageLog& log, std::uint64_t from) : log_(log), wanted_(from) {}

    // Up to about `limit` bytes of whole lines (a single longer line comes whole); empty at the
    // end.
    [[nodiscard]] base::Result<std::string> next(std::size_t limit);

  private:
    [[nodiscard]] base::Status seek();
    [[nodiscard]] base::Status enter(std::uint64_t first);
    [[nodiscard]] base::Result<std::string> read_lines(std::uint64_t available, std::size_t limit);

    const MessageLog& log_;
    std::uint64_t wanted_;
    std::uint64_t segment_first_ = 0;
    std::uint64_t position_ = 0;
    base::UniqueFd file_;
};

}  // namespace mitral::cloud::log
