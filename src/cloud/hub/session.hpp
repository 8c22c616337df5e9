#pragma once

#include <optional>
#include <set>
#include <string>

#include "cloud/hub/session_store.hpp"
#include "cloud/hub/telemetry.hpp"
#include "cloud/hub/topic_family.hpp"

namespace mitral::cloud::hub {

class Service;

// One device or module connected over MQTT: telemetry, subscriptions, and the way to the family of
// every other topic.
class Session final : public mqtt::Session, public Endpoint {
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
    void on_ready() override;
    void on_acknowledged(std::uint16_t packet_id) override;
    void on_end(bool said_goodbye) override;

    void restore(std::string_view filter) { filters_.emplace(filter); }
    // The families forget this session, the service too; what ends it is still to come.
    void leave();

    [[nodiscard]] const std::string& client_id() const override { return client_id_; }
    [[nodiscard]] const DeviceIdentity& identity() const override { return identity_; }
    [[nodiscard]] bool subscribed(std::string_view filter) const override {
        return filters_.contains(filter);
    }
    [[nodiscard]] mqtt::Channel& channel() override { return channel_; }

  private:
    [[nodiscard]] bool may_subscribe(std::string_view filter) const;
    [[nodiscard]] base::Status on_service_topic(const mqtt::Publish& publish);

    Service& service_;
    mqtt::Channel& channel_;
    DeviceIdentity identity_;
    std::string client_id_;
    Telemetry telemetry_;
    SessionStore* store_;  // null with a clean session
    std::optional<Will> will_;
    std::set<std::string, std::less<>> filters_;
    bool left_ = false;
};

}  // namespace mitral::cloud::hub
