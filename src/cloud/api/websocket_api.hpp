#pragma once

#include <functional>

#include "cloud/faults.hpp"
#include "cloud/http/router.hpp"
#include "cloud/websocket/connection.hpp"

namespace mitral::cloud::api {

// Over WebSocket: MQTT for hub and DPS at /$iothub/websocket with the subprotocol "mqtt"; AMQP
// there and at /$servicebus/websocket with "AMQPWSB10". Each is what stands behind its own port.
class WebsocketApi {
  public:
    // `faults` outlives the routes.
    WebsocketApi(Faults& faults, websocket::InnerFactory make_mqtt,
                 websocket::InnerFactory make_amqp)
        : faults_(faults), make_mqtt_(std::move(make_mqtt)), make_amqp_(std::move(make_amqp)) {}
    void mount(http::Router& router) const;

  private:
    Faults& faults_;
    websocket::InnerFactory make_mqtt_;
    websocket::InnerFactory make_amqp_;
};

}  // namespace mitral::cloud::api
