#pragma once

#include "cloud/faults.hpp"
#include "cloud/mqtt/service.hpp"

namespace mitral::cloud::faults {

// Stands before the services of the MQTT port and lets the faults of Azure strike: refused
// CONNECTs, used-up quotas, throttling. Without a fault it hands everything on.
class Front final : public mqtt::Service {
  public:
    // All outlive the front and its sessions.
    Front(mqtt::Service& services, Faults& faults, const base::Clock& clock)
        : services_(services), faults_(faults), clock_(clock) {}

    [[nodiscard]] mqtt::Admission admit(const mqtt::Connect& connect,
                                        mqtt::Channel& channel) override;

    // Room for one message in the hub-wide rate, and when that will be free; what would wait longer
    // than `queue` is refused. Shared by all sessions, as the limit is the hub's.
    [[nodiscard]] base::Result<base::Milliseconds> wait_for_room(const Order& order);
    [[nodiscard]] Faults& faults() noexcept { return faults_; }

  private:
    [[nodiscard]] std::optional<mqtt::ConnectCode> refusal(const mqtt::Connect& connect);

    mqtt::Service& services_;
    Faults& faults_;
    const base::Clock& clock_;
    base::MonotonicTime next_room_{};
};

}  // namespace mitral::cloud::faults
