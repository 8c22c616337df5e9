// Cuts a byte stream into lines, with bounded memory.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"

namespace mitral::intake {

class LineBuffer {
  public:
    // `longest`: bytes of a line without its newline. `padding`: readable bytes behind every line.
    LineBuffer(std::size_t longest, std::size_t padding);

    struct Line {
        enum class Kind { none, line, too_long } kind = Kind::none;
        std::string_view text;  // without newline; valid until the next space()
    };

    // Room for at least `wanted` more bytes; write there, then say how many came.
    [[nodiscard]] base::MutableByteView space(std::size_t wanted);
    void filled(std::size_t count) noexcept;

    // The next complete line. One that outgrows the bound is reported once, as too_long, as soon as
    // that is certain; the rest of it is thrown away as it comes.
    [[nodiscard]] Line next() noexcept;

    // Bytes of a line that has not ended.
    [[nodiscard]] bool mid_line() const noexcept { return begin_ != end_ || skipping_; }

  private:
    void make_room(std::size_t wanted);

    std::vector<char> storage_;
    std::size_t longest_;
    std::size_t padding_;
    std::size_t begin_ = 0;    // of the unread bytes
    std::size_t scanned_ = 0;  // no newline between begin_ and here
    std::size_t end_ = 0;
    bool skipping_ = false;  // inside a line that was too long
};

}  // namespace mitral::intake
