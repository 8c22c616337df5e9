// What a monitor that is the server wants to hear before it reports: QRY^R02 of HL7 v2.3.1, as
// Mindray's do.
#pragma once

#include <cstdint>
#include <string>

#include "base/clock.hpp"

namespace mitral::intake::hl7 {

// A frame. `number` tells one query from the next.
[[nodiscard]] std::string mindray_query(base::WallTime now, std::uint64_t number);

}  // namespace mitral::intake::hl7
