#pragma once

#include "azure/dps.hpp"
#include "cloud/mqtt/service.hpp"

namespace mitral::cloud {

// The user name says which service a client wants; both share the port, as they do on port 8883 of
// Azure.
class Switchboard final : public mqtt::Service {
  public:
    Switchboard(mqtt::Service& hub, mqtt::Service& dps) : hub_(hub), dps_(dps) {}
    mqtt::Admission admit(const mqtt::Connect& connect, mqtt::Channel& channel) override {
        auto& service = azure::is_dps_username(connect.user_name) ? dps_ : hub_;
        return service.admit(connect, channel);
    }

  private:
    mqtt::Service& hub_;
    mqtt::Service& dps_;
};

}  // namespace mitral::cloud
