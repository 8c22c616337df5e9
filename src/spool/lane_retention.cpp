// What leaves a lane: acknowledged segments, and those that have to go.
#include <fcntl.h>

#include <algorithm>

#include "base/fail_point.hpp"
#include "base/file.hpp"
#include "base/log.hpp"
#include "spool/acknowledgement.hpp"
#include "spool/lane_files.hpp"
#include "spool/lane_writer.hpp"

namespace mitral::spool {

void LaneWriter::refresh_acknowledged() {
    if (acknowledgement_.empty())
        return;
    MITRAL_FAIL_POINT("lane.read-acknowledgement");
    const auto found = read_acknowledgement(acknowledgement_);
    if (!found) {
        base::log(base::Severity::warning, "spool-acknowledgement-unreadable",
                  {{"cause", found.error().message()}});
        return;
    }
    if (!*found || (*found)->stream != place_.stream)
        return;
    const auto sequence = (*found)->sequence;
    if (sequence <= committed_) {
        acknowledged_ = std::max(acknowledged_, sequence);
    } else if (sequence != refused_acknowledgement_) {
        refused_acknowledgement_ = sequence;
        base::log_security(
            "spool-acknowledgement-refused",
            {{"path", acknowledgement_}, {"acknowledged", sequence}, {"committed", committed_}});
    }
}

bool LaneWriter::is_acknowledged(const ClosedSegment& segment) const noexcept {
    return segment.last <= acknowledged_;
}

base::Status LaneWriter::delete_acknowledged() {
    // The newest segment keeps the lane's numbers.
    const std::size_t kept = live_ && live_->on_disk() ? 0 : 1;
    while (closed_.size() > kept && is_acknowledged(closed_.front())) {
        // One after the other on the disk as well: after a power cut a hole between two that are
        // still there would be taken for a loss.
        MITRAL_FAIL_POINT("lane.sync-removals");
        MITRAL_CHECK(storage_.sync_directory(place_.directory));
        MITRAL_FAIL_POINT("lane.remove-acknowledged");
        MITRAL_CHECK(storage_.remove(path_of(closed_.front().first)));
        closed_.erase(closed_.begin());
    }
    return {};
}

bool LaneWriter::can_drop_closed() const noexcept {
    return !closed_.empty();
}

bool LaneWriter::can_drop_live() const noexcept {
    return live_ && live_->on_disk() && frames_.empty() && live_->size() > header_size;
}

base::Status LaneWriter::drop_oldest() {
    MITRAL_CHECK(bury(closed_.front()));
    closed_.erase(closed_.begin());
    return {};
}

base::Status LaneWriter::drop_live() {
    retire(live_->close());
    live_.reset();
    if (batch_.open)  // the reader jumps, which ends the batch
        batch_ = committed_batch_ = {};
    return drop_oldest();
}

// Marks are written over the segment's slot, which needs no space on a full disk. The reader jumps
// over records and lets the hub acknowledge later ones as soon as it sees `dropped`: by then it has
// to be on disk that a gap will tell of them. The file itself goes once the gap is committed.
base::Status LaneWriter::bury(const ClosedSegment& segment) {
    Tombstone tombstone;
    tombstone.path = path_of(segment.first);
    MITRAL_TRY(const auto fd, base::open_file(tombstone.path, O_RDWR | O_NONBLOCK));
    MITRAL_TRY(tombstone.gaps, gaps_inside(fd.get(), segment.slot.gap_end, acknowledged_));
    Slot slot = segment.slot;
    slot.condemned = true;
    slot.last_sequence = segment.last;
    slot.gap_first = std::max(segment.first, acknowledged_ + 1);
    const auto lost = slot.gap_first <= segment.last ? segment.last - slot.gap_first + 1 : 0;
    slot.dropped_records = dropped_ + lost;
    if (auto condemned = condemn(fd.get(), slot); !condemned) {
        // The segment stays as it was; half a mark would be taken for damage.
        (void)storage_.write(fd.get(), encode_slot(segment.slot), slot_offset);
        return condemned;
    }
    dropped_ += lost;
    if (lost > 0) {
        tombstone.gaps.push_back({place_.lane, slot.gap_first, segment.last, segment.first_written,
                                  slot.last_written, GapReason::bound_reached});
        base::log(
            base::Severity::warning, "spool-records-dropped",
            {{"lane", to_string(place_.lane)}, {"first", slot.gap_first}, {"last", segment.last}});
    }
    tombstones_.push_back(std::move(tombstone));
    if (auto freed = free_buried(fd.get(), slot); !freed)  // the gap is told all the same
        base::log(base::Severity::warning, "spool-truncate-failed",
                  {{"cause", freed.error().message()}});
    return {};
}

base::Status LaneWriter::condemn(int fd, const Slot& slot) {
    MITRAL_FAIL_POINT("bury.write-mark");
    MITRAL_CHECK(storage_.write(fd, encode_slot(slot), slot_offset));
    MITRAL_FAIL_POINT("bury.sync-mark");
    return storage_.sync(fd);
}

base::Status LaneWriter::free_buried(int fd, Slot slot) {
    const auto condemned = encode_slot(slot);
    slot.dropped = true;
    MITRAL_FAIL_POINT("bury.write-drop");
    if (auto marked = storage_.write(fd, encode_slot(slot), slot_offset); !marked) {
        (void)storage_.write(fd, condemned, slot_offset);  // half a mark would be taken for damage
        return marked;
    }
    MITRAL_FAIL_POINT("bury.sync-drop");
    MITRAL_CHECK(storage_.sync(fd));  // a reader that sees no mark would find damage
    MITRAL_FAIL_POINT("bury.truncate");
    return storage_.truncate(fd, std::max<std::uint64_t>(slot.gap_end, header_size));
}

}  // namespace mitral::spool
