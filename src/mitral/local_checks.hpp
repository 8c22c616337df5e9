// The layers on this machine: files, disks, clock.
#pragma once

#include "base/clock.hpp"
#include "mitral/finding.hpp"
#include "mitral/settings.hpp"

namespace mitral::cli {

// State and spool directories belong to the users that write them and nobody else can; what is
// trusted (configuration, station key, pinned roots) can be written by root alone.
[[nodiscard]] Finding check_permissions(const UnitSettings& settings,
                                        const std::string& config_file);
// The spool's bound fits the disk it is on, and there is room for state.
[[nodiscard]] Finding check_disk(const UnitSettings& settings);
[[nodiscard]] Finding check_clock(const base::Clock& clock);

// Bytes of all files below `directory`, two levels down (a spool's lanes).
[[nodiscard]] std::uint64_t bytes_below(const std::string& directory);

}  // namespace mitral::cli
