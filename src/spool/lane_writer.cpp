#include "spool/lane_writer.hpp"

#include <fcntl.h>

#include <algorithm>
#include <utility>

#include "base/fail_point.hpp"
#include "base/file.hpp"
#include "base/log.hpp"
#include "spool/acknowledgement.hpp"
#include "spool/errors.hpp"
#include "spool/lane_files.hpp"

namespace mitral::spool {
namespace {

// A group beyond this is written early: it bounds memory, and a lane's step over the directory's
// bound.
constexpr std::size_t max_group_size = 4ULL << 20;
// Without a new key (the vault is away) the live segment may grow to this many times its size.
constexpr std::uint64_t stretch = 4;
constexpr base::Milliseconds key_retry_interval{10'000};
constexpr int max_repairs = 8;

// Merges what touches or overlaps: one stretch, one record.
std::vector<Gap> merge(std::vector<Gap> gaps) {
    std::sort(gaps.begin(), gaps.end(),
              [](const Gap& a, const Gap& b) { return a.first_sequence < b.first_sequence; });
    std::vector<Gap> merged;
    for (const auto& gap : gaps) {
        if (merged.empty() || merged.back().reason != gap.reason ||
            merged.back().last_sequence + 1 < gap.first_sequence) {
            merged.push_back(gap);
            continue;
        }
        auto& into = merged.back();
        into.last_sequence = std::max(into.last_sequence, gap.last_sequence);
        into.first_written = std::min(into.first_written, gap.first_written);
        into.last_written = std::max(into.last_written, gap.last_written);
    }
    return merged;
}

}  // namespace

base::Result<std::unique_ptr<LaneWriter>> LaneWriter::open(Storage& storage,
                                                           const WriterOptions& options, Lane lane,
                                                           KeyIssuer& keys,
                                                           const base::Clock& clock) {
    auto writer = std::unique_ptr<LaneWriter>(new LaneWriter(storage, options, lane, keys, clock));
    MITRAL_TRY(const auto stream, make_lane(storage, options.directory, lane, options.group_id));
    MITRAL_TRY(auto recovered, recover_lane(storage, writer->place_.directory, lane));
    writer->adopt(stream, std::move(recovered));
    return writer;
}

LaneWriter::LaneWriter(Storage& storage, const WriterOptions& options, Lane lane, KeyIssuer& keys,
                       const base::Clock& clock)
    : storage_(storage), options_(options), keys_(keys), clock_(clock) {
    place_.directory = lane_path(options.directory, lane);
    place_.lane = lane;
    place_.group_id = options.group_id;
    if (!options.acknowledgement_directory.empty())
        acknowledgement_ =
            acknowledgement_path(options.acknowledgement_directory, options.directory, lane);
}

void LaneWriter::adopt(std::uint64_t stream, RecoveredLane recovered) {
    place_.stream = stream;
    next_ = recovered.next_sequence;
    committed_ = next_ - 1;
    dropped_ = recovered.dropped_records;
    tombstones_ = std::move(recovered.tombstones);
    for (auto& segment : recovered.segments)
        retire(std::move(segment));
    if (recovered.batch_open)
        batch_ = {true, true, 0, clock_.monotonic()};
    committed_batch_ = batch_;
    refresh_acknowledged();
}

std::string LaneWriter::path_of(std::uint64_t first) const {
    return place_.directory + "/" + segment_name(first);
}

// An empty segment keeps its file, which keeps the lane's next number, until one of the same number
// replaces it.
void LaneWriter::retire(ClosedSegment segment) {
    if (!segment.empty())
        closed_.push_back(std::move(segment));
}

// Everything a record needs: room in the group, a live segment with a key, gaps and batch in order.
base::Status LaneWriter::ready(std::size_t frame_size) {
    if (holdoff_.holds(clock_.monotonic()))
        return base::fail(SpoolError::holding_off,
                          "lane " + std::string(to_string(place_.lane)) + " failed a moment ago");
    if (!frames_.empty() && frames_.size() + frame_size > max_group_size) {
        if (auto flushed = flush(); !flushed) {
            lost_ = flushed.error();
            return flushed;
        }
    }
    if (auto repaired = repair_broken(); !repaired) {
        holdoff_.failed(clock_.monotonic());
        return repaired;
    }
    MITRAL_CHECK(prepare_segment());
    MITRAL_CHECK(close_inherited_batch());
    return add_gaps();
}

// Never in the middle of a group, which lies in one file.
bool LaneWriter::wants_new_segment(base::MonotonicTime now) const {
    if (!live_)
        return true;
    if (!frames_.empty())
        return false;
    if (live_->size() >= stretch * options_.segment_bytes)
        return true;
    const bool served = live_->size() >= options_.segment_bytes || now >= next_key_;
    return served && now >= key_retry_;
}

base::Status LaneWriter::prepare_segment() {
    const auto now = clock_.monotonic();
    if (!wants_new_segment(now))
        return {};
    if (next_ > max_sequence)
        return base::fail(SpoolError::damaged, "the lane has run out of numbers");
    auto fresh = SegmentWriter::prepare(storage_, place_, next_, keys_);
    if (!fresh) {
        if (live_ && live_->size() < stretch * options_.segment_bytes) {
            key_retry_ = now + key_retry_interval;  // a vault that hangs must not stop every group
            return {};
        }
        holdoff_.failed(clock_.monotonic());
        return std::unexpected(std::move(fresh).error());
    }
    if (live_ && live_->on_disk())
        retire(live_->close());
    live_ = *std::move(fresh);
    next_key_ = now + options_.segment_interval;
    return {};
}

base::Status LaneWriter::seal(RecordKind kind, bool ends_batch, base::ByteView payload) {
    MITRAL_CHECK(live_->seal({place_.stream, next_}, kind, ends_batch, payload, frames_));
    ++next_;
    group_ends_batch_ = ends_batch;
    if (kind == RecordKind::gap)
        group_gap_end_ = frames_.size();
    if (ends_batch)
        batch_ = {};
    return {};
}

base::Status LaneWriter::close_inherited_batch() {
    return batch_.inherited ? seal(RecordKind::boundary, true, {}) : base::Status{};
}

base::Status LaneWriter::add_gaps() {
    if (!has_untold_gaps())
        return {};
    std::vector<Gap> gaps;
    for (auto i = told_; i < tombstones_.size(); ++i)
        gaps.insert(gaps.end(), tombstones_[i].gaps.begin(), tombstones_[i].gaps.end());
    for (const auto& gap : merge(std::move(gaps)))
        MITRAL_CHECK(seal(RecordKind::gap, true, encode(gap)));
    MITRAL_FAIL_POINT("bury.gap-sealed");
    told_ = tombstones_.size();
    return {};
}

base::Result<RecordId> LaneWriter::append(base::ByteView payload) {
    MITRAL_CHECK(ready(payload.size() + frame_overhead));
    const RecordId id{place_.stream, next_};
    const auto now = clock_.monotonic();
    const auto before = batch_;
    if (!batch_.open)
        batch_ = {true, false, 0, now};
    batch_.bytes += payload.size();
    const bool ends = batch_.bytes >= options_.batch_bytes || batch_overdue();
    if (auto sealed = seal(RecordKind::data, ends, payload); !sealed) {
        batch_ = before;
        return std::unexpected(std::move(sealed).error());
    }
    return id;
}

bool LaneWriter::batch_overdue() const {
    return batch_.open && clock_.monotonic() - batch_.began >= options_.batch_interval;
}

std::optional<base::MonotonicTime> LaneWriter::batch_deadline() const noexcept {
    if (!batch_.open)
        return std::nullopt;
    return batch_.began + options_.batch_interval;
}

base::Status LaneWriter::settle() {
    MITRAL_CHECK(repair_broken());
    const bool overdue = batch_overdue();
    if (!overdue && !has_untold_gaps())
        return {};
    if (overdue)
        return end_batch();
    return ready(frame_overhead);
}

base::Status LaneWriter::end_batch() {
    if (!batch_.open)
        return {};
    MITRAL_CHECK(ready(frame_overhead));
    // Making ready may have ended it already.
    return batch_.open ? seal(RecordKind::boundary, true, {}) : base::Status{};
}

base::Status LaneWriter::commit() {
    const auto lost = std::exchange(lost_, std::nullopt);
    MITRAL_CHECK(flush());
    if (lost)
        return std::unexpected(*lost);
    return {};
}

base::Status LaneWriter::flush() {
    if (frames_.empty())
        return {};
    auto after = live_->slot();
    after.last_sequence = next_ - 1;
    after.ends_batch = group_ends_batch_;
    after.dropped_records = dropped_;
    if (group_gap_end_ > 0)
        after.gap_end = after.size + group_gap_end_;
    if (auto written = live_->write(frames_, after, clock_.wall()); !written) {
        broken_ = std::move(live_);
        repairs_tried_ = 0;
        forget_group();
        holdoff_.failed(clock_.monotonic());
        if (auto repaired = repair_broken(); !repaired)
            base::log(base::Severity::warning, "spool-repair-failed",
                      {{"cause", repaired.error().message()}});
        return written;
    }
    group_written();
    return {};
}

// Gives up after some attempts: acquisition goes on, the reader may have to skip the file.
base::Status LaneWriter::repair_broken() {
    if (!broken_)
        return {};
    if (auto repaired = broken_->repair(); !repaired && ++repairs_tried_ < max_repairs)
        return repaired;
    retire(broken_->description());
    broken_.reset();
    return {};
}

void LaneWriter::group_written() {
    frames_.clear();
    group_gap_end_ = 0;
    committed_ = next_ - 1;
    committed_batch_ = batch_;
    holdoff_.succeeded();
    if (told_ > 0)
        MITRAL_FAIL_POINT("bury.remove");
    for (std::size_t i = 0; i < told_; ++i)  // one that stays is told again after the next start
        if (auto removed = storage_.remove(tombstones_[i].path); !removed)
            base::log(base::Severity::warning, "spool-remove-failed",
                      {{"cause", removed.error().message()}});
    tombstones_.erase(tombstones_.begin(),
                      tombstones_.begin() + static_cast<std::ptrdiff_t>(told_));
    told_ = 0;
}

void LaneWriter::forget_group() noexcept {
    frames_.clear();
    group_gap_end_ = 0;
    next_ = committed_ + 1;
    batch_ = committed_batch_;
    told_ = 0;
}

std::uint64_t LaneWriter::bytes() const noexcept {
    std::uint64_t sum =
        frames_.size() + (live_ ? std::max<std::uint64_t>(live_->size(), header_size) : 0);
    for (const auto& segment : closed_)
        sum += segment.file_bytes;
    return sum;
}

LaneUsage LaneWriter::usage() const noexcept {
    return {bytes(), committed_, acknowledged_, dropped_};
}

}  // namespace mitral::spool
