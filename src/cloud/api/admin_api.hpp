#pragma once

#include "cloud/faults.hpp"
#include "cloud/http/router.hpp"
#include "cloud/hub/registry.hpp"
#include "cloud/hub/service.hpp"
#include "cloud/log/broadcast.hpp"
#include "cloud/log/message_log.hpp"

namespace mitral::cloud::api {

// The loopback admin port: message log, device list, faults. No authentication: whoever
// reaches this machine's loopback owns this emulator.
struct AdminApi {
    hub::Registry& registry;
    hub::Service& hub;
    const log::MessageLog& log;
    log::Broadcast& news;
    Faults& faults;

    void mount(http::Router& router);
};

}  // namespace mitral::cloud::api
