#pragma once

#include "cloud/http/router.hpp"
#include "cloud/hub/authenticator.hpp"
#include "cloud/hub/service.hpp"

namespace mitral::cloud::api {

// Telemetry over HTTPS: POST /devices/{device}/messages/events, one message or, with the content
// type application/vnd.microsoft.iothub.json, a batch. 204 means: in the message log.
struct DeviceEventsApi {
    hub::Service& service;
    log::MessageLog& log;
    const hub::Authenticator& authenticator;
    const base::Clock& clock;
    std::function<base::Status()> commit;  // of the message log

    void mount(http::Router& router);
};

}  // namespace mitral::cloud::api
