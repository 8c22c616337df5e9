// All beds of a plan in one event loop, until the time is up, a signal comes or everything is said.
#pragma once

#include <functional>
#include <string>

#include "base/result.hpp"
#include "bedside/bed_plan.hpp"

namespace mitral::bedside {

// Takes one line of status, without its end.
using Say = std::function<void(const std::string& line)>;

// True when every message that was sent was acknowledged, and there was one.
[[nodiscard]] base::Result<bool> run_ward(const WardPlan& plan, const Say& say);

}  // namespace mitral::bedside
