// Device Update for one hub, put together: updates, keys, deployments. Single-threaded.
#pragma once

#include <string>

#include "base/file.hpp"
#include "cloud/adu/imports.hpp"
#include "cloud/adu/key_ring.hpp"
#include "cloud/adu/operations.hpp"
#include "cloud/adu/rollout.hpp"
#include "cloud/adu/updates.hpp"

namespace mitral::cloud::adu {

inline constexpr std::string_view instance_name = "default";  // the only one

struct DeviceUpdate {
    DeviceUpdate(base::EventLoop& loop, const base::Clock& wall_clock, store::Database& database,
                 hub::Twins& twins, std::string at)
        : clock(wall_clock),
          directory(std::move(at)),
          keys(database, wall_clock, directory + "/keys"),
          incoming(directory + "/incoming"),
          updates(database, wall_clock, directory + "/files"),
          operations(database, wall_clock),
          imports(loop, updates, operations, incoming),
          fleet(database, wall_clock),
          deployments(database, wall_clock),
          logs(database, wall_clock),
          rollout({loop, wall_clock, database, twins, updates, keys, fleet, deployments, logs}) {}
    // Once, before the first call.
    [[nodiscard]] base::Status open() {
        MITRAL_CHECK(base::make_directory(directory, 0700));
        return operations.fail_unfinished();
    }
    DeviceUpdate(const DeviceUpdate&) = delete;
    DeviceUpdate& operator=(const DeviceUpdate&) = delete;

    const base::Clock& clock;
    const std::string directory;
    KeyRing keys;
    Incoming incoming;
    Updates updates;
    Operations operations;
    Imports imports;
    Fleet fleet;
    Deployments deployments;
    LogCollections logs;
    Rollout rollout;
};

}  // namespace mitral::cloud::adu
