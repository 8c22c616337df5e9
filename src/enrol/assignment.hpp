// assignment.json: the result of a registration, for the uplink.
#pragma once

#include <string>

#include "base/clock.hpp"
#include "base/result.hpp"

namespace mitral::enrol {

struct Assignment {
    std::string hub;  // "contoso.azure-devices.net", ":port" included if DPS said so
    std::string device_id;
    std::string dps;  // host:port that assigned it
    base::WallTime assigned_at;
};

// {"hub":"…","device_id":"…","dps":"…","assigned_at":"2026-…Z"}
[[nodiscard]] std::string to_json(const Assignment& assignment);
// Replaces the file as a whole, readable by everyone on the unit (there is no secret in it).
[[nodiscard]] base::Status write_assignment(const std::string& path, const Assignment& assignment);
// True when the file holds an assignment that names a hub and a device.
[[nodiscard]] bool has_assignment(const std::string& path);

}  // namespace mitral::enrol
