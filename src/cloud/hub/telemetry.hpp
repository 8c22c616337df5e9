#pragma once

#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "cloud/hub/authenticator.hpp"
#include "cloud/log/message_log.hpp"
#include "cloud/mqtt/packet.hpp"

namespace mitral::cloud::hub {

// Turns what one identity publishes into entries of the message log, with the hub's stamps.
class Telemetry {
  public:
    // `retain_name`: the property that a RETAIN bit becomes; a literal.
    Telemetry(log::MessageLog& log, const base::Clock& clock, const DeviceIdentity& identity,
              std::string_view retain_name = "mqtt-retain");

    // Fails with protocol_violation when the topic is not this identity's own, too_large above 256
    // KiB.
    [[nodiscard]] base::Status accept(const mqtt::Publish& publish);
    // The message a client left for the case that it vanishes.
    [[nodiscard]] base::Status accept_will(const mqtt::Publish& will);
    [[nodiscard]] base::Status check_topic(std::string_view topic) const;

  private:
    [[nodiscard]] base::Result<azure::TelemetryTopic> own_topic(std::string_view topic) const;
    [[nodiscard]] base::Status store(const mqtt::Publish& publish, azure::PropertyBag extra);

    log::MessageLog& log_;
    const base::Clock& clock_;
    std::string device_;
    std::string module_;
    std::string_view retain_name_;
    std::string stamps_;  // as the log takes them
};

}  // namespace mitral::cloud::hub
