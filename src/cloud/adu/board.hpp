#pragma once

#include <vector>

#include "cloud/adu/deployments.hpp"

namespace mitral::cloud::adu {

// A deployment at a glance.
struct Standing {
    Deployment deployment{};
    SubgroupState state = SubgroupState::inactive;  // active when one of its classes is
    bool reaches_anybody = false;                   // some device class takes it
    std::int64_t in_progress = 0;                   // devices
    std::int64_t succeeded = 0;
    std::int64_t failed = 0;
    std::int64_t canceled = 0;
};

// The newest first; counted by the database, however many devices there are.
[[nodiscard]] base::Result<std::vector<Standing>> newest_standings(const store::Database& database,
                                                                   std::size_t limit);

}  // namespace mitral::cloud::adu
