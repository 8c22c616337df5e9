#include "cloud/api/websocket_api.hpp"

#include "cloud/websocket/handshake.hpp"

namespace mitral::cloud::api {
namespace {

constexpr std::string_view mqtt = "mqtt";
constexpr std::string_view amqp = "AMQPWSB10";

http::Response unavailable() {
    http::Response response;
    response.status = 503;
    return response;
}

http::Response open(const http::Request& request, std::string_view subprotocol, Faults& faults,
                    const websocket::InnerFactory& make_inner) {
    auto response = websocket::answer_handshake(request, subprotocol);
    if (response.status != 101)
        return response;
    if (faults.strike(Fault::hub_away))
        return unavailable();
    response.upgrade = [make_inner](front::Link& link) {
        return std::make_unique<websocket::Connection>(link, make_inner);
    };
    return response;
}

}  // namespace

void WebsocketApi::mount(http::Router& router) const {
    router.add(http::Method::get, "/$iothub/websocket",
               [self = *this](const http::Request& request, const http::Captures&) {
                   const bool is_amqp = websocket::offered_subprotocol(request, mqtt).empty() &&
                                        !websocket::offered_subprotocol(request, amqp).empty();
                   return open(request, is_amqp ? amqp : mqtt, self.faults_,
                               is_amqp ? self.make_amqp_ : self.make_mqtt_);
               });
    router.add(http::Method::get, "/$servicebus/websocket",
               [self = *this](const http::Request& request, const http::Captures&) {
                   return open(request, amqp, self.faults_, self.make_amqp_);
               });
}

}  // namespace mitral::cloud::api
