// What the uplink tells the rest of the unit: a JSON file, replaced as a whole. No secrets in it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "uplink/histogram.hpp"
#include "uplink/lane_feed.hpp"

namespace mitral::uplink {

struct LaneStatus {
    FeedName name;
    FeedCounters counters;
    std::uint64_t position = 0;
    std::uint64_t backlog = 0;       // records not acknowledged
    std::string trouble;             // empty: none
    std::uint64_t live_backlog = 0;  // of the backlog, what is in the live part
    std::size_t parts = 1;           // more than one: a backlog drains beside the live part
};

struct StatusReport {
    std::string state;  // "waiting", "connecting", "connected", "renewing", "stopping", "stopped"
    std::string hub;
    std::string device_id;
    std::string tls_version;
    std::string tls_cipher;
    base::WallTime connected_since;  // 0: not connected
    std::uint16_t in_flight = 0;
    base::WallTime token_issued;
    base::WallTime token_expires;
    std::uint64_t renewals = 0;
    std::uint64_t connections = 0;  // that came up
    std::uint64_t failures = 0;     // attempts and connections that failed
    std::uint32_t consecutive_failures = 0;
    std::uint64_t security_events = 0;
    std::uint64_t checkpoints = 0;   // acknowledged by the hub
    std::string checkpoint_trouble;  // why the trust zone signs none; empty: it does
    std::string last_error;
    base::WallTime last_error_at;
    std::vector<LaneStatus> lanes;
};

[[nodiscard]] std::string to_json(const StatusReport& report, const Histogram& puback_latency,
                                  base::WallTime now);

}  // namespace mitral::uplink
