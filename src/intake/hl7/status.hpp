// What `mitral status` and the fleet see of this adapter: numbers by monitor, never a word of a
// message.
#pragma once

#include <string>

#include "base/clock.hpp"
#include "intake/hl7/counters.hpp"
#include "intake/hl7/monitors.hpp"
#include "spool/writer.hpp"

namespace mitral::intake::hl7 {

// One line of JSON.
[[nodiscard]] std::string describe_status(const Counters& counters, std::size_t open_connections,
                                          const Monitors& monitors, const spool::Writer& writer,
                                          base::WallTime now);

}  // namespace mitral::intake::hl7
