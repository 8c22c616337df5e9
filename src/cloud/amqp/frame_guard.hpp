// Follows the frames of one peer before the library hears them: each performative has to keep
// PeerRules, and a SASL frame passes only where one belongs. Proton 0.37 takes those anywhere, and
// loses the memory of each mechanism that is named after the first.
#pragma once

#include <array>
#include <cstdint>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "cloud/amqp/peer_rules.hpp"

namespace mitral::cloud::amqp {

class FrameGuard {
  public:
    // The peer's next bytes, cut anywhere. Fails with malformed_packet; then none of them may be
    // heard. A performative, but for the payload of transfers, may have so many bytes.
    [[nodiscard]] base::Status look(base::ByteView input, std::size_t largest_performative);
    // It failed because the peer speaks another protocol. The library must not hear that either: it
    // would begin TLS of its own with a peer that does, and this would see no frame any more.
    [[nodiscard]] bool refused_protocol() const noexcept { return refused_protocol_; }

  private:
    enum class Expects : std::uint8_t { protocol, sasl_init, frame };
    [[nodiscard]] base::Status judge_head();
    [[nodiscard]] base::Status judge_frame();
    [[nodiscard]] bool begins_a_protocol() const;
    [[nodiscard]] base::Status look_into_body(base::ByteView& input);
    [[nodiscard]] base::Status judge_body();
    [[nodiscard]] std::uint16_t channel() const {
        return static_cast<std::uint16_t>(head_[6] << 8U | head_[7]);
    }

    Expects expects_ = Expects::protocol;
    bool authenticated_ = false;
    bool refused_protocol_ = false;
    std::array<std::uint8_t, 8> head_{};  // of a protocol or a frame (AMQP 1.0 part 2, § 2.2, 2.3)
    std::size_t have_ = 0;
    std::size_t body_left_ = 0;
    bool judged_ = false;  // this frame's body
    base::Bytes body_;
    std::size_t largest_performative_ = 0;
    PeerRules rules_;
};

}  // namespace mitral::cloud::amqp
