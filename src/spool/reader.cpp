// What a reader can do besides walking: give up damage, say how much there is, branch.
#include "spool/reader.hpp"

#include <algorithm>
#include <utility>

#include "base/errors.hpp"
#include "base/log.hpp"
#include "spool/directory_reader.hpp"
#include "spool/errors.hpp"

namespace mitral::spool {

base::Result<Skipped> DirectoryReader::skip_damage() {
    const auto nothing = [] {
        return base::fail(base::BaseError::not_supported, "nothing that could be skipped yet");
    };
    if (!stream_)
        return nothing();
    Skipped skipped{*stream_, {}, {}};
    Gap& gap = skipped.gap;
    if (current_ && !current_->at_end()) {
        MITRAL_TRY(const auto last, current_->skip(position_));
        gap = current_->gap(position_, last);
        MITRAL_TRY(skipped.told, current_->gaps_told(position_));
    } else {
        const auto before = current_ ? current_->first() : position_;
        MITRAL_TRY(const auto following, segment_after(before));
        if (!following || *following <= position_)
            return nothing();
        gap = {lane_, position_, *following - 1, {}, {}, GapReason::unreadable};
        current_.reset();
    }
    base::log_security("spool-records-unreadable", {{"lane", to_string(lane_)},
                                                    {"first", gap.first_sequence},
                                                    {"last", gap.last_sequence},
                                                    {"reason", to_string(gap.reason)}});
    position_ = gap.last_sequence + 1;
    handed_out_ = std::max(handed_out_, gap.last_sequence);
    watch_.set_directory_changed();
    return skipped;
}

base::Result<std::uint64_t> DirectoryReader::backlog() {
    if (!stream_) {
        MITRAL_TRY(const bool there, open_lane());
        if (!there)
            return 0;
    }
    MITRAL_TRY(const auto firsts, list_segments(directory_));
    std::uint64_t behind = acknowledged_;
    std::uint64_t last = 0;
    bool oldest_found = false;
    for (std::size_t i = 0; i < firsts.size(); ++i) {
        // Only the oldest and the newest matter; what lies between is without holes.
        if (oldest_found && i + 1 < firsts.size())
            continue;
        auto cursor = SegmentCursor::open(path_of(firsts[i]), lane_, *stream_, firsts[i]);
        if (!cursor || !(*cursor)->refresh())
            continue;
        if ((*cursor)->slot().dropped)
            continue;
        if (!oldest_found)
            behind = std::max(behind, firsts[i] - 1);
        oldest_found = true;
        last = std::max(last, (*cursor)->last_committed());
    }
    return last > behind ? last - behind : 0;
}

// At most two segments: a batch that is longer than the newest one is not worth the search.
base::Result<std::optional<std::uint64_t>> DirectoryReader::newest_batch_end() {
    if (!stream_)
        return std::nullopt;
    constexpr std::size_t segments_looked_at = 2;
    MITRAL_TRY(const auto firsts, list_segments(directory_));
    std::size_t looked = 0;
    for (auto first = firsts.rbegin(); first != firsts.rend() && looked < segments_looked_at;
         ++first, ++looked) {
        MITRAL_TRY(const auto cursor,
                   SegmentCursor::open(path_of(*first), lane_, *stream_, *first));
        MITRAL_CHECK(cursor->refresh());
        if (cursor->slot().dropped)
            continue;
        MITRAL_TRY(const auto end, cursor->last_batch_end());
        if (end)
            return end;
    }
    return std::nullopt;
}

base::Result<std::unique_ptr<LaneReader>> DirectoryReader::branch(std::uint64_t first) {
    if (!stream_ || first == 0)
        return base::fail(base::BaseError::not_supported, "nothing has been read yet");
    MITRAL_TRY(auto watch, LaneWatch::create(directory_));
    auto reader = std::make_unique<DirectoryReader>(directory_, lane_, acknowledgement_file_, keys_,
                                                    std::move(watch));
    reader->branched_ = true;
    reader->stream_ = stream_;
    reader->acknowledged_ = reader->handed_out_ = first - 1;
    reader->position_ = first;
    return reader;
}

base::Result<Skipped> LaneReader::skip_damage() {
    return base::fail(base::BaseError::not_supported, "this reader cannot skip");
}

base::Result<std::optional<std::uint64_t>> LaneReader::newest_batch_end() {
    return std::nullopt;
}

base::Result<std::unique_ptr<LaneReader>> LaneReader::branch(std::uint64_t /*first*/) {
    return base::fail(base::BaseError::not_supported, "this reader cannot branch");
}

base::Result<std::unique_ptr<LaneReader>> LaneReader::open(const std::string& spool_directory,
                                                           Lane lane,
                                                           const std::string& acknowledgement_file,
                                                           KeyOpener& keys) {
    auto directory = spool_directory;
    while (directory.size() > 1 && directory.back() == '/')
        directory.pop_back();
    directory = lane_path(directory, lane);
    MITRAL_TRY(auto watch, LaneWatch::create(directory));
    return std::make_unique<DirectoryReader>(std::move(directory), lane, acknowledgement_file, keys,
                                             std::move(watch));
}

}  // namespace mitral::spool
