#include "spool/recovery.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>

#include "base/fail_point.hpp"
#include "base/file.hpp"
#include "base/log.hpp"
#include "spool/errors.hpp"
#include "spool/frame_scanner.hpp"
#include "spool/lane_files.hpp"

namespace mitral::spool {
namespace {

constexpr std::uint64_t copy_size = 256ULL * 1024;

struct OpenSegment {
    base::UniqueFd fd;
    std::uint64_t file_size = 0;
    base::WallTime modified;
    std::optional<SegmentHeader> header;
    std::optional<Slot> slot;
};

base::Result<OpenSegment> open_segment(const std::string& path, Lane lane, std::uint64_t first) {
    OpenSegment segment;
    MITRAL_TRY(segment.fd, base::open_file(path, O_RDWR | O_NONBLOCK));
    struct stat status{};
    if (fstat(segment.fd.get(), &status) != 0)
        return base::fail_errno("stat " + path);
    if (!S_ISREG(status.st_mode))
        return base::fail(SpoolError::damaged, path + " is not a file");
    segment.file_size = static_cast<std::uint64_t>(status.st_size);
    segment.modified.ms = status.st_mtim.tv_sec * 1000 + status.st_mtim.tv_nsec / 1'000'000;
    base::Bytes area(header_size);
    MITRAL_TRY(const auto count, read_at(segment.fd.get(), area, 0));
    area.resize(count);
    if (auto header = decode_header(area);
        header && header->lane == lane && header->first_sequence == first)
        segment.header = *std::move(header);
    if (count == header_size)
        segment.slot = decode_slot(base::ByteView(area).subspan(slot_offset, slot_size));
    return segment;
}

// Follows the frames from where `slot` ends for as long as they are whole and numbered in turn.
base::Result<Slot> follow(const OpenSegment& segment, Slot slot, std::uint64_t below) {
    FrameScanner scanner(segment.fd.get(), slot.size);
    scanner.set_limit(segment.file_size);
    for (;;) {
        MITRAL_TRY(const auto frame, scanner.next());
        if (!frame || frame->header.sequence != slot.last_sequence + 1 ||
            frame->header.sequence >= below || !checksum_holds(frame->header, frame->bytes))
            return slot;
        slot.size = frame->end;
        slot.last_sequence = frame->header.sequence;
        slot.ends_batch = frame->header.ends_batch;
        slot.last_written = segment.modified;
        if (frame->header.kind == RecordKind::gap)
            slot.gap_end = frame->end;
    }
}

base::WallTime first_written(const OpenSegment& segment) {
    return segment.header ? segment.header->created : segment.modified;
}

Slot blank_slot(const OpenSegment& segment, std::uint64_t first) {
    Slot slot;
    slot.last_sequence = first - 1;
    slot.last_written = first_written(segment);
    return slot;
}

bool slot_agrees(const OpenSegment& segment, std::uint64_t first, std::uint64_t below) {
    const auto& slot = segment.slot;
    return slot && slot->size <= segment.file_size && slot->last_sequence + 1 >= first &&
           slot->last_sequence < below;
}

base::Status write_slot(Storage& storage, const OpenSegment& segment, const Slot& slot) {
    MITRAL_FAIL_POINT("recover.write-slot");
    MITRAL_CHECK(storage.write(segment.fd.get(), encode_slot(slot), slot_offset));
    MITRAL_FAIL_POINT("recover.sync-slot");
    return storage.sync(segment.fd.get());
}

// After a sync that failed the kernel takes pages for written that are not: what was read from them
// is on the disk only when it has been written and synced once more.
base::Status write_again(Storage& storage, const OpenSegment& segment, std::uint64_t from,
                         std::uint64_t to) {
    base::Bytes block(static_cast<std::size_t>(std::min(to - from, copy_size)));
    while (from < to) {
        const auto wanted =
            static_cast<std::size_t>(std::min<std::uint64_t>(block.size(), to - from));
        MITRAL_TRY(const auto count,
                   read_at(segment.fd.get(), base::MutableByteView(block).first(wanted), from));
        if (count != wanted)
            return base::fail(SpoolError::damaged, "a segment became shorter");
        MITRAL_FAIL_POINT("recover.write-again");
        MITRAL_CHECK(storage.write(segment.fd.get(), base::ByteView(block).first(count), from));
        from += count;
    }
    return {};
}

// The slot as the records on disk say. `below`: the first number of the next segment; what a failed
// group left here under that number or a later one was written again there.
base::Result<Slot> settle(Storage& storage, const OpenSegment& segment, const std::string& path,
                          std::uint64_t first, std::uint64_t below) {
    const bool agrees = slot_agrees(segment, first, below);
    if (!agrees)
        base::log_security("spool-segment-damaged", {{"path", path}, {"what", "committed size"}});
    const auto start = agrees ? *segment.slot : blank_slot(segment, first);
    if (agrees && start.last_sequence + 1 == below)  // closed in good order
        return start;
    MITRAL_TRY(const auto settled, follow(segment, start, below));
    MITRAL_CHECK(write_again(storage, segment, start.size, settled.size));
    MITRAL_FAIL_POINT("recover.truncate");
    if (agrees && settled.size < segment.file_size)
        MITRAL_CHECK(storage.truncate(segment.fd.get(), settled.size));
    MITRAL_FAIL_POINT("recover.sync");
    MITRAL_CHECK(storage.sync(segment.fd.get()));
    MITRAL_CHECK(write_slot(storage, segment, settled));
    return settled;
}

// What an earlier process wrote may be in memory only. The order is that of LaneWriter::bury.
base::Status finish_dropping(Storage& storage, const OpenSegment& segment, Slot slot) {
    if (!slot.dropped)
        MITRAL_CHECK(write_slot(storage, segment, slot));
    slot.condemned = slot.dropped = true;
    return write_slot(storage, segment, slot);
}

base::Result<Tombstone> revive_tombstone(const OpenSegment& segment, const std::string& path,
                                         Lane lane) {
    const auto& slot = *segment.slot;
    Tombstone tombstone;
    tombstone.path = path;
    tombstone.file_bytes = segment.file_size;
    MITRAL_TRY(tombstone.gaps, gaps_inside(segment.fd.get(), slot.gap_end, 0));
    if (slot.gap_first > 0 && slot.gap_first <= slot.last_sequence)
        tombstone.gaps.push_back({lane, slot.gap_first, slot.last_sequence, first_written(segment),
                                  slot.last_written, GapReason::bound_reached});
    return tombstone;
}

// A damaged segment may hold more records than can be counted: no number it could hold is given out
// again.
std::uint64_t last_possible(const OpenSegment& segment, std::uint64_t first) {
    if (segment.file_size <= header_size)
        return first - 1;
    return first - 1 + (segment.file_size - header_size) / frame_overhead;
}

// A segment without its header cannot be opened by anyone, but its numbers are taken. It stays for
// the reader to stumble over and report.
ClosedSegment unreadable_segment(const OpenSegment& segment, const std::string& path,
                                 std::uint64_t first, std::uint64_t below) {
    base::log_security("spool-segment-damaged", {{"path", path}, {"what", "header"}});
    ClosedSegment closed;
    closed.first = first;
    closed.slot = slot_agrees(segment, first, below) ? *segment.slot : blank_slot(segment, first);
    closed.last = std::min(below - 1, last_possible(segment, first));
    closed.file_bytes = segment.file_size;
    closed.first_written = segment.modified;
    return closed;
}

base::Result<ClosedSegment> settled_segment(Storage& storage, const OpenSegment& segment,
                                            const std::string& path, std::uint64_t first,
                                            std::uint64_t below) {
    ClosedSegment closed;
    closed.first = first;
    closed.first_written = segment.header->created;
    MITRAL_TRY(closed.slot, settle(storage, segment, path, first, below));
    closed.last = closed.slot.last_sequence;
    closed.file_bytes = closed.slot.size;
    if (!slot_agrees(segment, first, below) && closed.slot.size < segment.file_size) {
        closed.last = std::max(closed.last, std::min(below - 1, last_possible(segment, first)));
        closed.file_bytes = segment.file_size;
    }
    return closed;
}

// The lane's running totals after one more segment.
void count(RecoveredLane& lane, std::uint64_t last, const Slot& slot) {
    lane.next_sequence = std::max(lane.next_sequence, last + 1);
    lane.dropped_records = std::max(lane.dropped_records, slot.dropped_records);
}

base::Status recover_segment(Storage& storage, const std::string& path, Lane lane,
                             std::uint64_t first, std::uint64_t below, RecoveredLane& into) {
    MITRAL_TRY(const auto segment, open_segment(path, lane, first));
    if (segment.slot && (segment.slot->condemned || segment.slot->dropped)) {
        MITRAL_CHECK(finish_dropping(storage, segment, *segment.slot));
        MITRAL_TRY(auto tombstone, revive_tombstone(segment, path, lane));
        count(into, segment.slot->last_sequence, *segment.slot);
        into.batch_open = false;  // the reader jumps, which ends the batch
        into.tombstones.push_back(std::move(tombstone));
        return {};
    }
    ClosedSegment closed;
    if (segment.header) {
        MITRAL_TRY(closed, settled_segment(storage, segment, path, first, below));
    } else {
        closed = unreadable_segment(segment, path, first, below);
    }
    count(into, closed.last, closed.slot);
    if (!closed.empty())
        into.batch_open = !closed.slot.ends_batch;
    into.segments.push_back(std::move(closed));
    return {};
}

base::Status remove_unfinished(Storage& storage, const std::string& lane_directory) {
    MITRAL_TRY(const auto names, base::list_directory(lane_directory));
    for (const auto& name : names)
        if (name.ends_with(unfinished_suffix))
            MITRAL_CHECK(storage.remove(lane_directory + "/" + name));
    return {};
}

}  // namespace

base::Result<std::vector<Gap>> gaps_inside(int fd, std::uint64_t end, std::uint64_t acknowledged) {
    std::vector<Gap> gaps;
    FrameScanner scanner(fd);
    scanner.set_limit(end);
    for (;;) {
        MITRAL_TRY(const auto frame, scanner.next());
        if (!frame)
            return gaps;
        if (frame->header.kind != RecordKind::gap || frame->header.sequence <= acknowledged ||
            !checksum_holds(frame->header, frame->bytes))
            continue;
        if (auto gap = decode_gap(gap_payload(frame->header, frame->bytes)))
            gaps.push_back(*gap);
    }
}

base::Result<RecoveredLane> recover_lane(Storage& storage, const std::string& lane_directory,
                                         Lane lane) {
    MITRAL_CHECK(remove_unfinished(storage, lane_directory));
    MITRAL_TRY(const auto firsts, list_segments(lane_directory));
    RecoveredLane recovered;
    for (std::size_t i = 0; i < firsts.size(); ++i) {
        const auto path = lane_directory + "/" + segment_name(firsts[i]);
        if (firsts[i] > max_sequence)
            return base::fail(SpoolError::damaged, path + " has a number out of range");
        const auto below = i + 1 < firsts.size() ? firsts[i + 1] : max_sequence + 1;
        MITRAL_CHECK(recover_segment(storage, path, lane, firsts[i], below, recovered));
    }
    return recovered;
}

}  // namespace mitral::spool
