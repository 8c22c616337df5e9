#pragma once

#include "cloud/limits/limits.hpp"
#include "cloud/mqtt/service.hpp"

namespace mitral::cloud::limits {

// Holds the hub's side of the MQTT port to the limits: CONNECT gets code 3, a message above its
// rate waits for its acknowledgement and then costs its connection, as one above the quota does.
// DPS has limits of its own in Azure; it is let through.
class Gate final : public mqtt::Service {
  public:
    // Both outlive the gate and its sessions.
    Gate(mqtt::Service& services, Limits& limits) : services_(services), limits_(limits) {}
    [[nodiscard]] mqtt::Admission admit(const mqtt::Connect& connect,
                                        mqtt::Channel& channel) override;

  private:
    mqtt::Service& services_;
    Limits& limits_;
};

}  // namespace mitral::cloud::limits
