// Minimal Lower Layer Protocol (HL7 v2 transport, release 1): finds the frames <VT> message <FS>
// <CR> in a stream of bytes, however it is split. Tolerant where senders differ: the message may or
// may not end with a CR of its own, the CR behind FS may be missing, and anything may stand between
// frames. No I/O.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"

namespace mitral::intake::hl7 {

constexpr char frame_start = '\x0B';
constexpr char frame_end = '\x1C';
constexpr char frame_trailer = '\r';

class MllpDecoder {
  public:
    static constexpr std::size_t longest_frame = 4U << 20;
    // What is kept of a frame that is too long: enough to tell its sender which message it was.
    static constexpr std::size_t kept_of_too_long = 4096;
    static constexpr std::size_t resting_bytes = 64 * 1024;  // what an idle connection may keep

    explicit MllpDecoder(std::size_t longest = longest_frame) noexcept : longest_(longest) {}

    // Room for `wanted` bytes from the peer; then filled() with how many came. Texts of earlier
    // events end with it.
    [[nodiscard]] base::MutableByteView space(std::size_t wanted);
    void filled(std::size_t count) noexcept;

    enum class Kind : std::uint8_t {
        none,        // nothing more in what has come
        frame,       // a whole message
        too_long,    // its beginning; the rest is passed over
        unfinished,  // a frame began before this one had ended; its text is what had come
    };
    struct Event {
        Kind kind = Kind::none;
        std::string_view text;
    };
    [[nodiscard]] Event next() noexcept;

    // Bytes of a frame have come and its end has not.
    [[nodiscard]] bool mid_frame() const noexcept { return state_ == State::inside; }
    // Memory it holds for what has come.
    [[nodiscard]] std::size_t held_bytes() const noexcept { return storage_.capacity(); }
    // Bytes outside of frames, or passed over, since the beginning.
    [[nodiscard]] std::uint64_t junk() const noexcept { return junk_; }

  private:
    enum class State : std::uint8_t { outside, inside, passing_over };

    [[nodiscard]] bool enter_frame() noexcept;
    [[nodiscard]] Event leave_frame() noexcept;
    [[nodiscard]] bool pass_over() noexcept;
    [[nodiscard]] std::size_t find(char byte, std::size_t from, std::size_t to) const noexcept;

    std::size_t longest_;
    std::vector<char> storage_;
    std::size_t begin_ = 0;    // of the frame, or of what has not been looked at
    std::size_t scanned_ = 0;  // no end of the frame before this
    std::size_t end_ = 0;
    State state_ = State::outside;
    bool trailer_may_follow_ = false;
    std::uint64_t junk_ = 0;
};

}  // namespace mitral::intake::hl7
