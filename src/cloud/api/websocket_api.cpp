#include "cloud/api/websocket_api.hpp"

#include "cloud/api/unsupported.hpp"
#include "cloud/websocket/handshake.hpp"

namespace mitral::cloud::api {
namespace {

http::Response unavailable() {
    http::Response response;
    response.status = 503;
    return response;
}

http::Response open(const http::Request& request, Faults& faults,
                    const websocket::InnerFactory& make_mqtt) {
    if (websocket::offered_subprotocol(request, "mqtt").empty() &&
        !websocket::offered_subprotocol(request, "AMQPWSB10").empty())
        return not_implemented("AMQP over WebSocket");
    auto response = websocket::answer_handshake(request, "mqtt");
    if (response.status != 101)
        return response;
    if (faults.strike(Fault::hub_away))
        return unavailable();
    response.upgrade = [make_mqtt](front::Link& link) {
        return std::make_unique<websocket::Connection>(link, make_mqtt);
    };
    return response;
}

}  // namespace

void WebsocketApi::mount(http::Router& router) const {
    router.add(http::Method::get, "/$iothub/websocket",
               [&faults = faults_, make_mqtt = make_mqtt_](const http::Request& request,
                                                           const http::Captures&) {
                   return open(request, faults, make_mqtt);
               });
}

}  // namespace mitral::cloud::api
