#pragma once

#include <functional>

#include "cloud/faults.hpp"
#include "cloud/http/router.hpp"
#include "cloud/websocket/connection.hpp"

namespace mitral::cloud::api {

// MQTT over WebSocket, for hub and DPS: /$iothub/websocket with the subprotocol "mqtt".
class WebsocketApi {
  public:
    // `faults` outlives the routes; `make_mqtt` makes what stands behind the MQTT port too.
    WebsocketApi(Faults& faults, websocket::InnerFactory make_mqtt)
        : faults_(faults), make_mqtt_(std::move(make_mqtt)) {}
    void mount(http::Router& router) const;

  private:
    Faults& faults_;
    websocket::InnerFactory make_mqtt_;
};

}  // namespace mitral::cloud::api
