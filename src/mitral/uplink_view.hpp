// What the uplink's and the intakes' status files say. They are other processes' words: bounded,
// checked.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"

namespace mitral::cli {

struct UplinkView {
    std::string state;
    bool connected = false;
    std::string hub;
    std::string tls_version;
    std::uint64_t queued = 0;
    std::uint64_t live_queued = 0;  // of them; the others are a backlog that drains beside
    std::uint64_t renewals = 0;
    std::uint64_t failures = 0;
    std::int64_t token_age_s = 0;
    std::uint64_t checkpoints = 0;   // acknowledged by the hub
    std::string checkpoint_trouble;  // why there are none at the moment
    std::string last_error;
    base::WallTime updated;
};
[[nodiscard]] base::Result<UplinkView> read_uplink_view(const std::string& path);

struct IntakeView {
    std::uint64_t open_connections = 0;
    std::uint64_t readings = 0;
    std::uint64_t observations = 0;
    std::uint64_t refused = 0;
    std::uint64_t queued = 0;
    std::uint64_t dropped = 0;
    base::WallTime updated;
};
[[nodiscard]] base::Result<IntakeView> read_intake_view(const std::string& path);

struct MonitorView {
    std::string source;
    bool connected = false;
    std::uint64_t messages = 0;
    std::uint64_t refused = 0;
    std::optional<base::WallTime> last_message;
    std::optional<std::int64_t> clock_offset_ms;
    std::vector<std::pair<std::string, std::uint64_t>> not_understood;  // by reason, none of 0
};
// Of mitral-intake-hl7. Open connections, counters and lanes mean the same in all intakes.
struct MonitorsView {
    IntakeView intake;
    std::uint64_t messages = 0;
    std::uint64_t rejected = 0;  // connections
    std::vector<MonitorView> monitors;
};
[[nodiscard]] base::Result<MonitorsView> read_monitors_view(const std::string& path);

}  // namespace mitral::cli
