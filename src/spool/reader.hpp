#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "spool/gap.hpp"
#include "spool/keys.hpp"
#include "spool/lane.hpp"

namespace mitral::spool {

// What skip_damage() gave up.
struct Skipped {
    std::uint64_t stream = 0;
    Gap gap;
    // Gaps that were told by records among them, of numbers below: nothing else tells of those.
    std::vector<Gap> told;
};

// Reads one lane of somebody else's spool, in order, committed records only. Everything on disk is
// hostile input: a record that does not authenticate stops the lane with SpoolError::tampered (one
// that fails its checksum, with SpoolError::damaged) and is never handed out. Errors of the
// KeyOpener come through unchanged and leave the position where it was: call next() again later.
// SpoolError::key_void alone is final; skip_damage() then gives up the segment as far as it is
// committed.
// Not thread-safe.
class LaneReader {
  public:
    // `acknowledgement_file` is the uplink's own file (it may not write in the spool directory),
    // named by acknowledgement_path() in spool/acknowledgement.hpp; the writer reads it to know
    // what it may delete. Reading starts behind the acknowledged record.
    [[nodiscard]] static base::Result<std::unique_ptr<LaneReader>> open(
        const std::string& spool_directory, Lane lane, const std::string& acknowledgement_file,
        KeyOpener& keys);
    virtual ~LaneReader() = default;

    // The next committed record; nullopt: none yet. A lane its writer has not created yet is empty.
    [[nodiscard]] virtual base::Result<std::optional<Record>> next() = 0;
    // Everything up to and including `sequence` has been acknowledged by the hub. Monotonic.
    // Written to the file lazily: call persist() to make it durable (a stale file costs
    // redeliveries, never loss).
    virtual void acknowledge(std::uint64_t sequence) noexcept = 0;
    [[nodiscard]] virtual base::Status persist() = 0;
    [[nodiscard]] virtual std::uint64_t acknowledged() const noexcept = 0;
    // After SpoolError::tampered, damaged or key_void: gives up the record that cannot be read (the
    // rest of its segment when the damage hides where the next one begins, or its key is void) and
    // says which numbers that are, so that the caller can report the gap (GapReason::unreadable or
    // key_void) instead of standing still for good.
    [[nodiscard]] virtual base::Result<Skipped> skip_damage();

    // The writer has dropped the segment that is being read. What has been handed out of it and is
    // not acknowledged is in the gap that comes later; rewind() jumps over it.
    [[nodiscard]] virtual base::Result<bool> dropped_meanwhile() { return false; }

    // Reading starts again behind the acknowledged record (after a lost connection).
    [[nodiscard]] virtual base::Status rewind() = 0;
    // Committed records behind the acknowledged one.
    [[nodiscard]] virtual base::Result<std::uint64_t> backlog() = 0;

    // Live first (docs/decisions/0005): a lane may be read in parts. The highest number, near the
    // end of the lane, of a committed record that claims to end a batch; nullopt: none. Nobody
    // vouches for it before that record has been read.
    [[nodiscard]] virtual base::Result<std::optional<std::uint64_t>> newest_batch_end();
    // A second reader of this lane, which begins with record `first`. It writes no position until
    // it takes over; instead of starting over with the oldest record, or in another stream, it
    // fails with SpoolError::lane_replaced for good. Precondition: next() or backlog() has seen the
    // lane.
    [[nodiscard]] virtual base::Result<std::unique_ptr<LaneReader>> branch(std::uint64_t first);
    // Nothing before this reader's part is left to read: its position is the lane's from now on.
    virtual void take_over() noexcept {}

    // Becomes readable when the writer has committed (inotify) and stays so until next() has
    // returned nullopt.
    [[nodiscard]] virtual int wake_descriptor() const noexcept = 0;

  protected:
    LaneReader() = default;
};

}  // namespace mitral::spool
