#pragma once

#include "cloud/hub/topic_family.hpp"

namespace mitral::cloud::hub {

// The twin over MQTT. Only the empty twin that SDKs ask for exists so far.
class TwinChannel final : public TopicFamily {
  public:
    [[nodiscard]] bool owns_filter(const DeviceIdentity& identity,
                                   std::string_view filter) const override;
    [[nodiscard]] bool owns_topic(std::string_view topic) const override;
    [[nodiscard]] base::Status on_publish(Endpoint& from, const mqtt::Publish& publish) override;
};

}  // namespace mitral::cloud::hub
