#pragma once

#include <array>

#include "cloud/mqtt/service.hpp"

namespace mitral::cloud::metrics {

enum class Inbound : std::uint8_t { telemetry, twin_get, twin_report, method_answer, provisioning };
enum class Outbound : std::uint8_t { devicebound, desired, twin_answer, method, provisioning };
inline constexpr std::array<std::string_view, 5> inbound_names{
    "telemetry", "twin-get", "twin-report", "method-answer", "provisioning"};
inline constexpr std::array<std::string_view, 5> outbound_names{
    "devicebound", "desired", "twin-answer", "method", "provisioning"};

// What one transport of MQTT carried since the process started.
struct Traffic {
    struct Flow {
        std::uint64_t messages = 0;
        std::uint64_t bytes = 0;  // of bodies
    };
    std::uint64_t open = 0;  // clients that are admitted now
    std::array<Flow, inbound_names.size()> in{};
    std::array<Flow, outbound_names.size()> out{};
};

// Stands before a service and counts what passes: messages that were taken, and those that were
// handed to a client's connection.
class Meter final : public mqtt::Service {
  public:
    // Both outlive the meter and its sessions.
    Meter(mqtt::Service& service, Traffic& traffic) : service_(service), traffic_(traffic) {}
    [[nodiscard]] mqtt::Admission admit(const mqtt::Connect& connect,
                                        mqtt::Channel& channel) override;

  private:
    mqtt::Service& service_;
    Traffic& traffic_;
};

}  // namespace mitral::cloud::metrics
