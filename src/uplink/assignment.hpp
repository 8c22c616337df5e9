// The hub that enrol obtained for this gateway. The file is written by another process and treated
// as hostile: bounded, strict, and it cannot choose the port.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace mitral::uplink {

struct Assignment {
    std::string hub;   // as DPS named it, ":port" included if it was: tokens are made for this text
    std::string host;  // without the port: to resolve, for SNI and the certificate
    std::string device_id;
};

constexpr std::size_t max_assignment_size = 8 * 1024;

// Fails with UplinkError::malformed_assignment. A ":port" in the hub's name must be `hub_port`: the
// sandbox lets this process reach no other.
[[nodiscard]] base::Result<Assignment> parse_assignment(std::string_view json,
                                                        std::uint16_t hub_port);
[[nodiscard]] base::Result<Assignment> read_assignment(const std::string& path,
                                                       std::uint16_t hub_port);

}  // namespace mitral::uplink
