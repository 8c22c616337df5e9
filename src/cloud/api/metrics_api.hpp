#pragma once

#include "cloud/dps/registrar.hpp"
#include "cloud/faults.hpp"
#include "cloud/front/link_pool.hpp"
#include "cloud/http/router.hpp"
#include "cloud/hub/devicebound_queue.hpp"
#include "cloud/hub/methods.hpp"
#include "cloud/hub/service.hpp"
#include "cloud/limits/limits.hpp"
#include "cloud/log/message_log.hpp"
#include "cloud/metrics/api_meter.hpp"
#include "cloud/metrics/back_end_traffic.hpp"
#include "cloud/metrics/meter.hpp"
#include "cloud/mqtt/connection.hpp"
#include "cloud/store/database.hpp"
#include "cloud/time/responder.hpp"

namespace mitral::cloud::api {

// What this process counts, by who carried it.
struct Meters {
    metrics::Traffic mqtt{};
    metrics::Traffic websocket{};
    metrics::ApiMeter api{};
    std::uint64_t https_open = 0;  // connections
    std::uint64_t admin_open = 0;
    std::uint64_t amqp_open = 0;
    std::uint64_t amqp_websocket_open = 0;
    metrics::BackEndTraffic back_ends{};
    std::int64_t started_ms = 0;  // Unix time
};

// GET /metrics of the admin port, for Prometheus. All outlive the router; `time` may be null.
struct MetricsApi {
    const Meters& meters;
    const hub::Service& hub;
    const hub::MethodChannel& methods;
    const hub::DeviceboundQueue& queue;
    const dps::Registrar& registrar;
    const log::MessageLog& log;
    const Faults& faults;
    const front::LinkPool& pool;
    const mqtt::ConnectionCounters& connections;
    const store::Database& database;
    const time::Responder* time;
    limits::Limits* limits;  // may be null

    void mount(http::Router& router) const;
};

}  // namespace mitral::cloud::api
