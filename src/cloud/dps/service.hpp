#pragma once

#include <memory>

#include "cloud/dps/registrar.hpp"
#include "cloud/mqtt/service.hpp"

namespace mitral::cloud::dps {

// DPS behind MQTT. As in Azure, a wrong signature may pass CONNECT and is refused with 401 on
// register; a wrong scope or certificate is refused at once.
class Service final : public mqtt::Service {
  public:
    explicit Service(Registrar& registrar) : registrar_(registrar) {}
    [[nodiscard]] mqtt::Admission admit(const mqtt::Connect& connect,
                                        mqtt::Channel& channel) override;

  private:
    Registrar& registrar_;
};

}  // namespace mitral::cloud::dps
