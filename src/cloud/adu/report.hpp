// What an update agent reports of itself (reported.deviceUpdate.agent, contract
// 2 and 3). Hostile input.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cloud/adu/import_manifest.hpp"

namespace mitral::cloud::adu {

enum class AgentState : std::int64_t { idle = 0, in_progress = 6, failed = 255, other = -1 };
enum class Action : std::int64_t { deploy = 3, cancel = 255 };

inline constexpr std::int64_t result_cancelled = -1;

struct InstallResult {
    std::int64_t code = 0;
    std::int64_t extended = 0;  // the first of "extendedResultCodes"
    std::string details{};
};

struct AgentReport {
    AgentState state = AgentState::other;
    std::int64_t action = 0;
    std::string workflow{};
    std::string retried{};  // "retryTimestamp" of the workflow that it is in;
                            // agents may omit it
    std::optional<UpdateId> installed{};
    std::optional<InstallResult> result{};
    std::vector<InstallResult> steps{};  // "step_0" and so on
};

// Fails with invalid_argument for what is no JSON; members that are missing or
// of a wrong type are left out.
[[nodiscard]] base::Result<AgentReport> read_report(std::string_view agent);

}  // namespace mitral::cloud::adu
