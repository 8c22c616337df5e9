// What the uplink's and the intake's status files say. They are other processes' words: bounded,
// checked.
#pragma once

#include <cstdint>
#include <string>

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

}  // namespace mitral::cli
