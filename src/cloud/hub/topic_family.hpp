#pragma once

#include <string>
#include <string_view>

#include "cloud/hub/authenticator.hpp"
#include "cloud/mqtt/service.hpp"

namespace mitral::cloud::hub {

// What a family of topics sees of one connected identity. Lives as long as its session.
class Endpoint {
  public:
    virtual ~Endpoint() = default;
    [[nodiscard]] virtual const DeviceIdentity& identity() const = 0;
    [[nodiscard]] virtual const std::string& client_id() const = 0;  // "device" or "device/module"
    [[nodiscard]] virtual bool subscribed(std::string_view filter) const = 0;
    [[nodiscard]] virtual mqtt::Channel& channel() = 0;
};

// One family of an MQTT session's topics: twin, direct methods, cloud-to-device messages. One
// object serves all sessions of the hub; Service::add() puts it in.
class TopicFamily {
  public:
    virtual ~TopicFamily() = default;

    // The filters and topics of the family; none belongs to two families.
    [[nodiscard]] virtual bool owns_filter(const DeviceIdentity& identity,
                                           std::string_view filter) const = 0;
    [[nodiscard]] virtual bool owns_topic(std::string_view topic) const = 0;

    // `publish` is on a topic that the family owns. An error closes the connection.
    [[nodiscard]] virtual base::Status on_publish(Endpoint& from, const mqtt::Publish& publish) = 0;
    // The client knows that it is connected, or subscribed to more: what waits for it may be sent.
    virtual void on_ready(Endpoint& to) { (void)to; }
    // A message sent with publish_acknowledged() arrived; the id may be another family's.
    virtual void on_acknowledged(Endpoint& by, std::uint16_t packet_id) {
        (void)by;
        (void)packet_id;
    }
    // Called once: the connection is over, or another one has taken its place.
    virtual void on_end(Endpoint& gone) { (void)gone; }
};

}  // namespace mitral::cloud::hub
