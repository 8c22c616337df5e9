// What the writer finds when it opens a lane, and the repair of what an earlier process left
// behind.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "spool/gap.hpp"
#include "spool/lane.hpp"
#include "spool/segment_format.hpp"
#include "spool/storage.hpp"

namespace mitral::spool {

// A segment nobody writes to any more.
struct ClosedSegment {
    std::uint64_t first = 0;
    std::uint64_t last = 0;  // first - 1: no records
    std::uint64_t file_bytes = 0;
    base::WallTime first_written;
    Slot slot;

    [[nodiscard]] bool empty() const noexcept { return last < first; }
};

// A segment whose records are gone and whose gap records are not yet on disk.
struct Tombstone {
    std::string path;
    std::uint64_t file_bytes = 0;
    std::vector<Gap> gaps;  // its own range, and those its own gap records told of
};

struct RecoveredLane {
    std::vector<ClosedSegment> segments;  // rising
    std::vector<Tombstone> tombstones;
    std::uint64_t next_sequence = 1;
    std::uint64_t dropped_records = 0;
    bool batch_open = false;  // the last record does not end a batch
};

// Cuts torn tails, brings every slot up to date with the records that are on disk, and syncs what
// it keeps: after kill -9 a record may be in the page cache only, and must not be shown before it
// is durable.
[[nodiscard]] base::Result<RecoveredLane> recover_lane(Storage& storage,
                                                       const std::string& lane_directory,
                                                       Lane lane);

// The gaps told by the gap frames between the header and `end` whose numbers are above
// `acknowledged` (written by ourselves: damaged ones are passed over).
[[nodiscard]] base::Result<std::vector<Gap>> gaps_inside(int fd, std::uint64_t end,
                                                         std::uint64_t acknowledged);

}  // namespace mitral::spool
