#pragma once

#include <optional>
#include <set>
#include <string>

#include "cloud/hub/session_store.hpp"
#include "cloud/hub/telemetry.hpp"
#include "cloud/mqtt/service.hpp"

namespace mitral::cloud::hub {

class Service;

// One device or module connected over MQTT. Twin, methods and cloud-to-device messages grow here,
// each in a file of its own (twin_session.cpp …); only the empty twin that SDKs ask for exists so
// far.
class Session final : public mqtt::Session {
  public:
    struct Will {
        std::string topic;
        base::Bytes message;
        std::uint8_t qos = 0;
    };

    Session(Service& service, mqtt::Channel& channel, DeviceIdentity identity, Telemetry telemetry,
            SessionStore* store, std::optional<Will> will);
    ~Session() override;

    [[nodiscard]] base::Status on_publish(const mqtt::Publish& publish) override;
    [[nodiscard]] base::Result<std::uint8_t> on_subscribe(
        const mqtt::Subscription& wanted) override;
    void on_unsubscribe(std::string_view filter) override;
    void on_end(bool said_goodbye) override;

    void restore(std::string_view filter) { filters_.emplace(filter); }
    [[nodiscard]] const std::string& client_id() const noexcept { return client_id_; }
    [[nodiscard]] const DeviceIdentity& identity() const noexcept { return identity_; }
    [[nodiscard]] mqtt::Channel& channel() noexcept { return channel_; }

  private:
    [[nodiscard]] bool may_subscribe(std::string_view filter) const;
    [[nodiscard]] base::Status on_service_topic(const mqtt::Publish& publish);
    [[nodiscard]] base::Status answer_twin(std::string_view request, int status,
                                           std::string_view body);

    Service& service_;
    mqtt::Channel& channel_;
    DeviceIdentity identity_;
    std::string client_id_;
    Telemetry telemetry_;
    SessionStore* store_;  // null with a clean session
    std::optional<Will> will_;
    std::set<std::string, std::less<>> filters_;
};

}  // namespace mitral::cloud::hub
