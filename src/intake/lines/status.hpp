// What the status file of mitral-intake-lines says.
#pragma once

#include <string>

#include "base/clock.hpp"
#include "intake/lines/counters.hpp"
#include "spool/writer.hpp"

namespace mitral::intake {

// One line of JSON.
[[nodiscard]] std::string describe_status(const Counters& counters, std::size_t open_connections,
                                          const spool::Writer& writer, base::WallTime now);

}  // namespace mitral::intake
