// The acknowledged position of one lane: a small file of the uplink's, read by the writer, who may
// delete what lies before it. Format: docs/formats/spool.md.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.hpp"
#include "spool/lane.hpp"

namespace mitral::spool {

// "<directory>/<writer>-<lane>.ack"; the writer's name is the last part of its spool directory.
[[nodiscard]] std::string acknowledgement_path(const std::string& directory,
                                               const std::string& spool_directory, Lane lane);

// nullopt: there is none yet. BaseError::malformed: a file that is not an acknowledgement.
[[nodiscard]] base::Result<std::optional<RecordId>> read_acknowledgement(const std::string& path);
[[nodiscard]] base::Status write_acknowledgement(const std::string& path, RecordId position);

}  // namespace mitral::spool
