#pragma once

#include "cloud/hub/topic_family.hpp"
#include "cloud/hub/twins.hpp"

namespace mitral::cloud::hub {

// The twin over MQTT (AZURE "Communicate with an IoT hub using MQTT"): get, report, and the push of
// desired properties. Nothing is kept for a client that is away or has not subscribed.
class TwinChannel final : public TopicFamily {
  public:
    explicit TwinChannel(Twins& twins) : twins_(twins) {}

    [[nodiscard]] bool owns_filter(const DeviceIdentity& identity,
                                   std::string_view filter) const override;
    [[nodiscard]] bool owns_topic(std::string_view topic) const override;
    // Bad patches are answered; topics outside the family's close the connection.
    [[nodiscard]] base::Status on_publish(Endpoint& from, const mqtt::Publish& publish) override;
    void on_ready(Endpoint& to) override;

    // Asked before each operation; false answers it with 429.
    void set_gate(std::function<bool(bool is_read)> gate) { gate_ = std::move(gate); }

    // Tells a client what the service changed.
    static void push_desired(Endpoint& to, const TwinUpdate& update);

  private:
    void get(Endpoint& from, std::string_view request);
    void report(Endpoint& from, std::string_view request, std::string_view patch);
    void refuse(Endpoint& from, std::string_view request, const base::Error& error);

    Twins& twins_;
    std::function<bool(bool is_read)> gate_{};
};

}  // namespace mitral::cloud::hub
