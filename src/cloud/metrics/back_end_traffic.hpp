#pragma once

#include <cstdint>

namespace mitral::cloud::metrics {

// What went over AMQP since the process started, TCP and WebSocket together.
struct BackEndTraffic {
    std::uint64_t events_delivered = 0;   // to consumers of the built-in endpoint
    std::uint64_t devicebound_taken = 0;  // messages to devices
    std::uint64_t refused = 0;            // links and tokens
};

}  // namespace mitral::cloud::metrics
