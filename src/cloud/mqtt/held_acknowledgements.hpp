#pragma once

#include <deque>
#include <functional>

#include "base/event_loop.hpp"

namespace mitral::cloud::mqtt {

// PUBACKs that leave late, in the order of their PUBLISHes [MQTT-4.6.0-2].
class HeldAcknowledgements {
  public:
    using Release = std::function<void(std::uint16_t packet_id)>;

    HeldAcknowledgements(base::EventLoop& loop, const base::Clock& clock, Release release)
        : loop_(loop), clock_(clock), release_(std::move(release)) {}
    HeldAcknowledgements(const HeldAcknowledgements&) = delete;
    HeldAcknowledgements& operator=(const HeldAcknowledgements&) = delete;
    ~HeldAcknowledgements();

    // None may overtake one that is held.
    [[nodiscard]] bool empty() const noexcept { return held_.empty(); }
    void hold(std::uint16_t packet_id, base::Milliseconds delay);

  private:
    struct Held {
        base::MonotonicTime due;
        std::uint16_t packet_id;
    };
    void arm();
    void release_due();

    base::EventLoop& loop_;
    const base::Clock& clock_;
    Release release_;
    std::deque<Held> held_;
    base::EventLoop::TimerId timer_{};
};

}  // namespace mitral::cloud::mqtt
