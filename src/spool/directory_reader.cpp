// How the reader walks from record to record and from segment to segment.
#include <algorithm>
#include <vector>

#include "base/errors.hpp"
#include "base/log.hpp"
#include "spool/acknowledgement.hpp"
#include "spool/directory_reader.hpp"
#include "spool/errors.hpp"

namespace mitral::spool {
namespace {

bool is_missing(const base::Error& error) {
    return error.code == std::errc::no_such_file_or_directory;
}

}  // namespace

base::Result<std::optional<Record>> DirectoryReader::next() {
    for (;;) {
        if (!current_ || current_->at_end()) {
            MITRAL_TRY(const bool more, find_more());
            if (!more)
                return std::nullopt;
            continue;
        }
        auto record = current_->next(position_, keys_);
        if (!record && record.error().code == SpoolError::damaged) {
            MITRAL_TRY(const bool dropped, dropped_under_us());
            if (dropped)
                continue;
        }
        if (!record)
            return std::unexpected(std::move(record).error());
        if (*record)
            handed_out_ = std::max(handed_out_, position_++);
        return record;
    }
}

void DirectoryReader::acknowledge(std::uint64_t sequence) noexcept {
    if (sequence <= handed_out_)
        acknowledged_ = std::max(acknowledged_, sequence);
}

base::Status DirectoryReader::persist() {
    if (branched_ || !stream_ || acknowledged_ == persisted_)
        return {};
    MITRAL_CHECK(write_acknowledgement(acknowledgement_file_, {*stream_, acknowledged_}));
    persisted_ = acknowledged_;
    return {};
}

base::Result<bool> DirectoryReader::dropped_meanwhile() {
    return current_ ? dropped_under_us() : base::Result<bool>(false);
}

base::Status DirectoryReader::rewind() {
    position_ = acknowledged_ + 1;
    current_.reset();
    return {};
}

// Called when all that was known to be committed has been read. False: there is no more for now.
base::Result<bool> DirectoryReader::find_more() {
    MITRAL_CHECK(watch_.drain());
    if (watch_.take_directory_gone()) {
        stream_.reset();
        current_.reset();
    }
    if (!stream_) {
        MITRAL_TRY(const bool there, open_lane());
        if (!there)
            return false;
    }
    if (!current_)
        return enter();
    MITRAL_CHECK(current_->refresh());
    if (current_->slot().dropped) {
        current_.reset();
        return enter();
    }
    if (!current_->at_end())
        return true;
    if (!watch_.take_directory_changed())
        return false;
    auto moved = leave();
    if (!moved || *moved)
        watch_.set_directory_changed();
    return moved;
}

std::unexpected<base::Error> DirectoryReader::another_lane() const {
    return base::fail(SpoolError::lane_replaced, "lane " + std::string(to_string(lane_)) +
                                                     " from " + std::to_string(position_) + " on");
}

base::Result<bool> DirectoryReader::open_lane() {
    if (branched_)
        return another_lane();
    auto stream = read_stream(directory_);
    if (!stream && is_missing(stream.error()))
        return false;
    if (!stream)
        return std::unexpected(std::move(stream).error());
    stream_ = *stream;
    acknowledged_ = 0;
    auto position = read_acknowledgement(acknowledgement_file_);
    if (!position && position.error().code != base::BaseError::malformed)
        return std::unexpected(std::move(position).error());
    if (!position)  // costs redeliveries, loses nothing
        base::log(base::Severity::warning, "spool-acknowledgement-unreadable",
                  {{"cause", position.error().message()}});
    else if (*position && (*position)->stream == *stream_)
        acknowledged_ = (*position)->sequence;
    persisted_ = handed_out_ = acknowledged_;
    position_ = acknowledged_ + 1;
    return true;
}

// Finds the segment that holds the position, or the first one behind it. False: there is none.
base::Result<bool> DirectoryReader::enter() {
    (void)watch_.take_directory_changed();
    MITRAL_TRY(const auto firsts, list_segments(directory_));
    auto candidate = std::upper_bound(firsts.begin(), firsts.end(), position_);
    if (candidate != firsts.begin())
        --candidate;
    for (; candidate != firsts.end(); ++candidate) {
        auto entered = enter_segment(*candidate);
        if (!entered) {
            watch_.set_directory_changed();
            if (!is_missing(entered.error()))
                return entered;
        } else if (*entered) {
            watch_.set_directory_changed();  // others may follow
            return true;
        }
    }
    return false;
}

// False: its records have been dropped.
base::Result<bool> DirectoryReader::enter_segment(std::uint64_t first) {
    MITRAL_TRY(auto cursor, SegmentCursor::open(path_of(first), lane_, *stream_, first));
    MITRAL_CHECK(cursor->refresh());
    if (cursor->slot().dropped)
        return false;
    MITRAL_CHECK(cursor->check_header());
    if (first > position_)
        base::log(base::Severity::notice, "spool-jump",
                  {{"lane", to_string(lane_)}, {"from", position_}, {"to", first}});
    position_ = std::max(position_, first);
    if (cursor->last_committed() + 1 < position_) {
        MITRAL_TRY(const auto following, segment_after(first));
        if (!following)
            return behind_the_end(*cursor);
    }
    MITRAL_CHECK(cursor->seek(position_));
    current_ = std::move(cursor);
    return true;
}

// The position lies behind what the lane shows. After a power cut the slot may be older than the
// records: the writer will bring it up to date. Else the lane was put back to an older state, or
// somebody made us believe in records that never were.
base::Result<bool> DirectoryReader::behind_the_end(const SegmentCursor& newest) {
    MITRAL_TRY(const auto last, newest.last_on_disk());
    if (last + 1 >= position_)
        return false;
    if (branched_)
        return another_lane();
    MITRAL_CHECK(start_over(last));
    return enter();
}

// From the oldest record there is: delivered twice is better than never. Terminates, because no
// segment ends before its own first number.
base::Status DirectoryReader::start_over(std::uint64_t last) {
    base::log_security("spool-behind-acknowledged",
                       {{"lane", to_string(lane_)},
                        {"last", last},
                        {"position", position_},
                        {"done", "started over with the oldest record"}});
    MITRAL_TRY(const auto firsts, list_segments(directory_));
    acknowledged_ = handed_out_ = firsts.empty() ? 0 : firsts.front() - 1;
    position_ = acknowledged_ + 1;
    return {};
}

base::Result<std::optional<std::uint64_t>> DirectoryReader::segment_after(
    std::uint64_t first) const {
    MITRAL_TRY(const auto firsts, list_segments(directory_));
    const auto found = std::upper_bound(firsts.begin(), firsts.end(), first);
    if (found == firsts.end())
        return std::nullopt;
    return *found;
}

// From the end of one segment to the next. The order matters: what was committed to this one before
// the next was made is visible once the next has been seen.
base::Result<bool> DirectoryReader::leave() {
    MITRAL_TRY(const auto following, segment_after(current_->first()));
    if (current_->unlinked()) {  // deleted, or replaced under the same name
        current_.reset();
        return enter();
    }
    if (!following)
        return false;
    MITRAL_CHECK(current_->refresh());
    if (!current_->at_end() || current_->slot().dropped)
        return true;
    if (*following < position_)
        return base::fail(SpoolError::tampered, "lane " + std::string(to_string(lane_)) +
                                                    " gives out numbers again from " +
                                                    std::to_string(*following));
    if (*following > position_)
        return base::fail(SpoolError::damaged,
                          "lane " + std::string(to_string(lane_)) + " has lost records " +
                              std::to_string(position_) + " to " + std::to_string(*following - 1));
    MITRAL_TRY(const bool entered, enter_segment(*following));
    if (!entered) {
        current_.reset();
        return enter();
    }
    return true;
}

// A record may have been cut off while we were looking at it.
base::Result<bool> DirectoryReader::dropped_under_us() {
    MITRAL_CHECK(current_->refresh());
    if (!current_->slot().dropped)
        return false;
    current_.reset();
    return true;
}

}  // namespace mitral::spool
