#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/result.hpp"
#include "spool/keys.hpp"
#include "spool/lane.hpp"

namespace mitral::spool {

// Reads one lane of somebody else's spool, in order, committed records only. Everything on disk is
// hostile input: a record that does not authenticate stops the lane with SpoolError::tampered and is
// never handed out. Not thread-safe.
class LaneReader {
  public:
    // `acknowledgement_file` is the uplink's own file (it may not write in the spool directory); the
    // writer reads it to know what it may delete. Reading starts behind the acknowledged record.
    [[nodiscard]] static base::Result<std::unique_ptr<LaneReader>> open(
        const std::string& spool_directory, Lane lane, const std::string& acknowledgement_file,
        KeyOpener& keys);
    virtual ~LaneReader() = default;

    // The next committed record; nullopt: none yet. A lane its writer has not created yet is empty.
    [[nodiscard]] virtual base::Result<std::optional<Record>> next() = 0;
    // Everything up to and including `sequence` has been acknowledged by the hub. Monotonic. Written to
    // the file lazily: call persist() to make it durable (a stale file costs redeliveries, never loss).
    virtual void acknowledge(std::uint64_t sequence) noexcept = 0;
    [[nodiscard]] virtual base::Status persist() = 0;
    [[nodiscard]] virtual std::uint64_t acknowledged() const noexcept = 0;
    // Reading starts again behind the acknowledged record (after a lost connection).
    [[nodiscard]] virtual base::Status rewind() = 0;
    // Committed records behind the acknowledged one.
    [[nodiscard]] virtual base::Result<std::uint64_t> backlog() = 0;

    // Becomes readable when the writer has committed (inotify); next() drains it.
    [[nodiscard]] virtual int wake_descriptor() const noexcept = 0;

  protected:
    LaneReader() = default;
};

}  // namespace mitral::spool
