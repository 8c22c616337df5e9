// Follows the frames of one peer before the library hears them, and lets a SASL frame pass only
// where one belongs. Proton 0.37 takes them anywhere, and loses the memory of each mechanism that
// is named after the first: a stranger could fill memory with them.
#pragma once

#include <array>
#include <cstdint>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace mitral::cloud::amqp {

class FrameGuard {
  public:
    // The peer's next bytes, cut anywhere. Fails with malformed_packet; then none of them may be
    // heard. Of a protocol that is not known all passes: the library refuses it.
    [[nodiscard]] base::Status look(base::ByteView input);

  private:
    enum class Expects : std::uint8_t { protocol, sasl_init, frame, nothing };
    [[nodiscard]] base::Status judge_head();
    [[nodiscard]] base::Status judge_frame();
    void judge_protocol();

    Expects expects_ = Expects::protocol;
    bool authenticated_ = false;
    std::array<std::uint8_t, 8> head_{};  // of a protocol or a frame (AMQP 1.0 part 2, § 2.2, 2.3)
    std::size_t have_ = 0;
    std::size_t body_left_ = 0;
};

}  // namespace mitral::cloud::amqp
