#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "spool/keys.hpp"
#include "spool/lane.hpp"

namespace mitral::spool {

struct WriterOptions {
    std::string directory;                      // created if missing; its lanes are subfolders
    std::uint64_t max_bytes = 1ULL << 30;       // bound of the whole directory
    std::uint64_t segment_bytes = 16ULL << 20;  // a lane may pass the bound by at most one segment
    // A lane takes a fresh key, with a new segment, this long after it took the last: what is
    // sealed between a wipe in the trust zone and the next key can never be opened.
    base::Milliseconds segment_interval{600'000};
    base::Milliseconds batch_interval{10'000};  // a batch is closed this long after it began…
    std::uint32_t batch_bytes =
        192 * 1024;     // …or when its payloads reach this size; 0: every record
    int group_id = -1;  // group that may read (the uplink's); -1: leave
    // Where the uplink keeps its acknowledged positions (spool/acknowledgement.hpp); empty:
    // unknown, and segments leave only when the bound is reached.
    std::string acknowledgement_directory;
};

struct LaneUsage {
    std::uint64_t bytes = 0;
    std::uint64_t last_sequence = 0;          // committed
    std::uint64_t acknowledged_sequence = 0;  // as the uplink left it
    std::uint64_t dropped_records = 0;        // since the lane exists; each one is in a gap record
};

// The only process that writes to the directory. Not thread-safe.
// I4: what commit() has returned from survives kill -9 and power cuts.
class Writer {
  public:
    static constexpr std::size_t max_record_size = 256 * 1024;  // payload bytes

    // Recovers what an earlier process left: torn tails are cut, every lane starts a new segment
    // with a new data key.
    [[nodiscard]] static base::Result<std::unique_ptr<Writer>> open(WriterOptions options,
                                                                    KeyIssuer& keys,
                                                                    const base::Clock& clock);
    virtual ~Writer() = default;

    // Adds to the group that the next commit() makes durable. Fails, with nothing added, when the
    // record is too large or the disk is full even after dropping what policy allows.
    [[nodiscard]] virtual base::Result<RecordId> append(Lane lane, base::ByteView payload) = 0;
    // Writes and syncs the group. After a failure none of the group is acknowledged and the writer
    // repairs its file before the next append.
    [[nodiscard]] virtual base::Status commit() = 0;
    // Commits and ends every open batch, so that the uplink need not wait for it: for a writer that
    // stops. (A writer that was killed leaves its batch to its successor.)
    [[nodiscard]] virtual base::Status end_batches() = 0;
    // Closes batches whose interval has passed, deletes acknowledged segments, enforces the bound.
    // Call when next_maintenance() is due; nullopt: nothing pending.
    [[nodiscard]] virtual base::Status maintain() = 0;
    [[nodiscard]] virtual std::optional<base::MonotonicTime> next_maintenance() const = 0;
    [[nodiscard]] virtual LaneUsage usage(Lane lane) const = 0;

  protected:
    Writer() = default;
};

}  // namespace mitral::spool
