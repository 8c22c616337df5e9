#pragma once

#include <cstdint>
#include <string>

#include "base/fd.hpp"
#include "cloud/log/message_log.hpp"

namespace mitral::cloud::log {

// Reads a message log from an offset on, whole lines, while it is being written. An offset that was
// already dropped starts at the oldest message, one in the future at the end. Damaged lines are
// left out, and what is missing is told to the log's Damage.
class Tail {
  public:
    Tail(const MessageLog& log, std::uint64_t from) : log_(log), next_(from) {}

    // Up to about `limit` bytes of whole lines (a single longer line comes whole); empty at the
    // end.
    [[nodiscard]] base::Result<std::string> next(std::size_t limit);

  private:
    [[nodiscard]] base::Status seek();
    [[nodiscard]] base::Status enter(const Segment& segment);
    [[nodiscard]] base::Result<std::string> read_on(std::uint64_t available, std::size_t limit);
    [[nodiscard]] std::string without_damage(std::string text);
    void expect(std::uint64_t offset);

    const MessageLog& log_;
    std::uint64_t next_;  // the offset that comes next
    std::uint64_t segment_first_ = 0;
    std::uint64_t position_ = 0;
    base::UniqueFd file_;
};

}  // namespace mitral::cloud::log
