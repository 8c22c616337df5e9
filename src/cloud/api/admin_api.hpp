#pragma once

#include "cloud/faults.hpp"
#include "cloud/front/link_pool.hpp"
#include "cloud/http/router.hpp"
#include "cloud/hub/registry.hpp"
#include "cloud/hub/service.hpp"
#include "cloud/log/broadcast.hpp"
#include "cloud/log/message_log.hpp"
#include "cloud/mqtt/connection.hpp"

namespace mitral::cloud::api {

// The loopback admin port: message log, metrics, device list, faults. No authentication: whoever
// reaches this machine's loopback owns this emulator.
struct AdminApi {
    hub::Registry& registry;
    hub::Service& hub;
    const log::MessageLog& log;
    log::Broadcast& news;
    Faults& faults;
    const front::LinkPool& pool;
    const mqtt::ConnectionCounters& connections;

    void mount(http::Router& router);
};

}  // namespace mitral::cloud::api
