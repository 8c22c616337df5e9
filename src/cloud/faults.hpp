#pragma once

#include "base/event_loop.hpp"
#include "cloud/front/listener.hpp"
#include "cloud/mqtt/roster.hpp"

namespace mitral::cloud {

// Misbehaviour on demand. More kinds (latency, loss, throttling, quota, another root) will stand
// here.
class Faults {
  public:
    Faults(base::EventLoop& loop, mqtt::Roster& roster) : loop_(loop), roster_(roster) {}
    Faults(const Faults&) = delete;
    Faults& operator=(const Faults&) = delete;
    ~Faults();

    void control(front::Listener& listener) { listener_ = &listener; }
    // Cuts all MQTT connections and refuses new ones for `duration`; zero ends a running outage.
    // Returns how many were cut.
    std::size_t hub_away(base::Seconds duration);
    [[nodiscard]] bool is_away() const noexcept { return away_; }

  private:
    void back();

    base::EventLoop& loop_;
    mqtt::Roster& roster_;
    front::Listener* listener_ = nullptr;
    base::EventLoop::TimerId timer_{};
    bool away_ = false;
};

}  // namespace mitral::cloud
