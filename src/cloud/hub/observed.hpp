// Where Azure's documentation and what people saw of it differ, the documentation is followed,
// unless the user asks for what was observed. docs/local-azure.md says who observed what.
#pragma once

#include <span>
#include <string>

#include "base/result.hpp"

namespace mitral::cloud::hub {

struct Observed {
    bool acknowledges_qos2 = false;     // "qos2-puback"; documented: closes
    bool refuses_filters = false;       // "filter-suback": code 0x80; documented: closes
    bool disabled_unavailable = false;  // "disabled-code-3"; documented: as any bad credential, 5
    bool older_retain_name = false;     // "x-opt-retain"; documented: mqtt-retain
    bool clean_keeps_queue = false;     // "clean-session-keeps-queue"; documented: begins anew
};

// Error: invalid_argument, with the names there are.
[[nodiscard]] base::Result<Observed> read_observed(std::span<const std::string> names);

}  // namespace mitral::cloud::hub
