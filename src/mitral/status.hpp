// `mitral status`: what the unit is and does right now, from the vault and the daemons' status
// files.
#pragma once

#include <string>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "mitral/settings.hpp"

namespace mitral::cli {

struct StatusReport {
    std::string text;
    std::string json;
    bool complete = true;  // every part could be asked
};

[[nodiscard]] StatusReport describe_unit(const UnitSettings& settings, const base::Clock& clock);

}  // namespace mitral::cli
