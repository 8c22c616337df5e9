#pragma once

#include <map>
#include <set>
#include <string>
#include <unordered_map>

#include "cloud/hub/devicebound_queue.hpp"
#include "cloud/hub/topic_family.hpp"

namespace mitral::cloud::hub {

// Cloud-to-device messages over MQTT: delivered with QoS 1, completed by the PUBACK. What was not
// acknowledged is free again when the connection ends, and comes again with DUP on the next one.
// Only what was sent after the client subscribed is delivered; the subscription lasts as long as
// the session does, so a clean session begins anew. Modules have no queue.
class DeviceboundChannel final : public TopicFamily {
  public:
    // `keeps_queue`: a clean session still gets what was sent after an earlier one subscribed.
    explicit DeviceboundChannel(DeviceboundQueue& queue, bool keeps_queue = false)
        : queue_(queue), keeps_queue_(keeps_queue) {}

    // There is something new for this device.
    void wake(std::string_view device);

    [[nodiscard]] bool owns_filter(const DeviceIdentity& identity,
                                   std::string_view filter) const override;
    [[nodiscard]] bool owns_topic(std::string_view topic) const override;
    [[nodiscard]] base::Status on_publish(Endpoint& from, const mqtt::Publish& publish) override;
    void on_ready(Endpoint& to) override;
    void on_acknowledged(Endpoint& by, std::uint16_t packet_id) override;
    void on_end(Endpoint& gone) override;

  private:
    struct Listener {
        Endpoint* endpoint = nullptr;
        std::int64_t first = 0;  // sequence number where its subscription begins
        std::uint16_t last_packet_id = 0;
        std::map<std::uint16_t, std::string> unacknowledged{};  // packet id → lock
    };
    void deliver(Listener& to);
    [[nodiscard]] base::Result<bool> deliver_one(Listener& to);
    void release(Listener& listener);

    DeviceboundQueue& queue_;
    bool keeps_queue_;
    std::unordered_map<std::string, Listener> listeners_;  // by client id
};

// "devices/{d}/messages/devicebound/%24.mid=…": names of system properties percent-encoded, as the
// C SDK wants them.
[[nodiscard]] std::string devicebound_topic(std::string_view device,
                                            const DeviceboundDelivery& delivery);

}  // namespace mitral::cloud::hub
