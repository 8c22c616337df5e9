// One lane as its writer sees it: closed segments, the live one, the group not yet committed, and
// tombstones whose gap records are still to be written.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "spool/holdoff.hpp"
#include "spool/recovery.hpp"
#include "spool/segment_writer.hpp"
#include "spool/writer.hpp"

namespace mitral::spool {

class LaneWriter {
  public:
    // Makes or recovers the lane.
    [[nodiscard]] static base::Result<std::unique_ptr<LaneWriter>> open(
        Storage& storage, const WriterOptions& options, Lane lane, KeyIssuer& keys,
        const base::Clock& clock);

    // Adds a data record to the group. Tells the gaps that are due first.
    [[nodiscard]] base::Result<RecordId> append(base::ByteView payload);
    // On failure the group is forgotten and its numbers are free again: the reader never saw them.
    // Fails as well when a part of the group that had to be written early was lost.
    [[nodiscard]] base::Status commit();
    [[nodiscard]] bool group_empty() const noexcept { return frames_.empty() && !lost_; }

    // Repairs what a failed write left, and adds the boundary and gap records that are due to the
    // group.
    [[nodiscard]] base::Status settle();
    // Adds the end of the open batch to the group, due or not.
    [[nodiscard]] base::Status end_batch();
    [[nodiscard]] bool needs_settling() const noexcept { return broken_ || has_untold_gaps(); }
    [[nodiscard]] std::optional<base::MonotonicTime> batch_deadline() const noexcept;

    // Reads the uplink's file. One that cannot be right is ignored.
    void refresh_acknowledged();
    // Deletes closed segments that lie wholly behind the acknowledged record.
    [[nodiscard]] base::Status delete_acknowledged();
    [[nodiscard]] bool awaits_acknowledgement() const noexcept { return !closed_.empty(); }

    [[nodiscard]] bool can_drop_closed() const noexcept;
    [[nodiscard]] bool can_drop_live() const noexcept;
    // Gives up the records of the oldest segment; the mark of it is durable before the space is
    // freed.
    [[nodiscard]] base::Status drop_oldest();
    [[nodiscard]] base::Status drop_live();

    [[nodiscard]] std::uint64_t bytes() const noexcept;  // on disk and in the group
    [[nodiscard]] LaneUsage usage() const noexcept;

  private:
    struct Batch {
        bool open = false;
        bool inherited =
            false;  // of an earlier process: of unknown size, to be closed before a record
        std::uint64_t bytes = 0;
        base::MonotonicTime began;
    };

    LaneWriter(Storage& storage, const WriterOptions& options, Lane lane, KeyIssuer& keys,
               const base::Clock& clock);
    void adopt(std::uint64_t stream, RecoveredLane recovered);
    [[nodiscard]] bool has_untold_gaps() const noexcept { return told_ < tombstones_.size(); }
    [[nodiscard]] base::Status prepare_segment();
    [[nodiscard]] bool wants_new_segment(base::MonotonicTime now) const;
    [[nodiscard]] base::Status seal(RecordKind kind, bool ends_batch, base::ByteView payload);
    [[nodiscard]] base::Status add_gaps();
    [[nodiscard]] bool batch_overdue() const;
    [[nodiscard]] base::Status close_inherited_batch();
    [[nodiscard]] base::Status ready(std::size_t frame_size);
    [[nodiscard]] base::Status flush();
    [[nodiscard]] base::Status repair_broken();
    void group_written();
    void forget_group() noexcept;
    void retire(ClosedSegment segment);
    [[nodiscard]] base::Status bury(const ClosedSegment& segment);
    [[nodiscard]] base::Status condemn(int fd, const Slot& slot);
    [[nodiscard]] base::Status free_buried(int fd, Slot slot);
    [[nodiscard]] bool is_acknowledged(const ClosedSegment& segment) const noexcept;
    [[nodiscard]] std::string path_of(std::uint64_t first) const;

    Storage& storage_;
    const WriterOptions& options_;
    KeyIssuer& keys_;
    const base::Clock& clock_;
    SegmentWriter::Place place_;
    std::string acknowledgement_;

    std::vector<ClosedSegment> closed_;  // rising
    std::unique_ptr<SegmentWriter> live_;
    base::MonotonicTime next_key_;   // live_ has served its time
    base::MonotonicTime key_retry_;  // not before, after the vault gave none
    std::unique_ptr<SegmentWriter>
        broken_;  // a write failed; to be repaired before the next record
    int repairs_tried_ = 0;
    std::vector<Tombstone> tombstones_;
    std::size_t told_ = 0;  // how many of them the present group tells

    base::Bytes frames_;      // the group
    std::uint64_t next_ = 1;  // number of the next record
    std::uint64_t committed_ = 0;
    std::uint64_t acknowledged_ = 0;
    std::uint64_t refused_acknowledgement_ = 0;  // logged once
    std::uint64_t dropped_ = 0;
    std::uint64_t group_gap_end_ = 0;  // end of the last gap frame in frames_; 0: none
    bool group_ends_batch_ = true;
    std::optional<base::Error> lost_;  // why a part of the group was lost
    Batch batch_;                      // with the group
    Batch committed_batch_;            // without it
    Holdoff holdoff_;
};

}  // namespace mitral::spool
