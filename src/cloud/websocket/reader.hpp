#pragma once

#include "cloud/websocket/frame.hpp"

namespace mitral::cloud::websocket {

// What one client sends (RFC 6455 §5.4–5.6): binary messages, whose bytes come out unmasked as they
// arrive, and control frames between and within them. Not thread-safe.
class Reader {
  public:
    enum class Event : std::uint8_t { needs_more, data, ping, pong, close };

    // A message, all its fragments together, may have so many bytes.
    explicit Reader(std::uint64_t max_message) noexcept : max_message_(max_message) {}

    // Takes one step from the front of `input` and removes what it took. Payload of messages is
    // appended to `data`; that of a control frame is in control() until the next call. After a
    // violation the reader is of no more use.
    [[nodiscard]] Checked<Event> next(base::ByteView& input, base::Bytes& data);
    [[nodiscard]] base::ByteView control() const noexcept { return control_; }

  private:
    [[nodiscard]] Checked<Event> begin_frame(base::ByteView& input);
    [[nodiscard]] std::optional<Violation> judge_data(const FrameHeader& header);
    [[nodiscard]] Event take_control(const FrameHeader& header, base::ByteView payload);
    [[nodiscard]] Event take_data(base::ByteView& input, base::Bytes& data);

    std::uint64_t max_message_;
    std::uint64_t message_bytes_ = 0;  // announced so far by the frames of the current message
    bool in_message_ = false;          // its last fragment has not begun
    FrameHeader frame_{};
    std::uint64_t frame_taken_ = 0;
    bool in_frame_ = false;  // a data frame whose payload is not complete
    base::Bytes control_;
};

}  // namespace mitral::cloud::websocket
