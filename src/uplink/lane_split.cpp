// A lane in parts (docs/decisions/0005): where one feed ends and the next begins.
#include <algorithm>

#include "spool/errors.hpp"
#include "uplink/lane_feed.hpp"

namespace mitral::uplink {
namespace {

// Reads to the end of a batch. nullopt: none before the end of what is committed, or of patience.
base::Result<std::optional<spool::RecordId>> pass_boundary(spool::LaneReader& reader) {
    std::size_t bytes = 0;
    for (std::size_t i = 0; i < BatchBuilder::max_records && bytes < BatchBuilder::max_bytes; ++i) {
        MITRAL_TRY(const auto record, reader.next());
        if (!record)
            return std::nullopt;
        if (record->ends_batch)
            return record->id;
        bytes += record->payload.size();
    }
    return std::nullopt;
}

}  // namespace

base::Result<std::optional<LaneFeed>> LaneFeed::split(std::uint64_t far,
                                                      std::uint64_t first_batch) {
    MITRAL_CHECK(open_reader());
    MITRAL_TRY(const auto waiting, reader_->backlog());
    if (waiting <= far)
        return std::nullopt;
    MITRAL_TRY(const auto newest, reader_->newest_batch_end());
    if (!newest || *newest <= std::max(last_read_, position()) + far)
        return std::nullopt;
    MITRAL_TRY(auto reader, reader_->branch(*newest));
    MITRAL_TRY(const auto boundary, pass_boundary(*reader));
    if (!boundary)
        return std::nullopt;
    reader->acknowledge(boundary->sequence);
    end_ = boundary->sequence + 1;
    before_ = {boundary->stream, position()};
    LaneFeed later(name_, open_, first_batch);
    later.reader_ = std::move(reader);
    return later;
}

base::Status LaneFeed::check_same_lane(const spool::Record& record) const {
    if (record.id.stream == before_.stream &&
        record.id.sequence > std::max(before_.sequence, last_read_))
        return {};
    return base::fail(spool::SpoolError::lane_replaced,
                      "record " + std::to_string(record.id.sequence));
}

void LaneFeed::reach_end() {
    exhausted_ = true;
    if (!building_.empty())
        close_batch();
}

void LaneFeed::take_over(const LaneFeed& before) {
    counters_ += before.counters_;
    reader_->take_over();
    must_persist_ = true;
}

base::Status LaneFeed::join() {
    end_.reset();
    return rewind();
}

// What the next part holds is counted there.
std::uint64_t LaneFeed::backlog_of_part(std::uint64_t last) {
    const std::uint64_t behind = last + 1 > *end_ ? last + 1 - *end_ : 0;
    const std::uint64_t all = backlog();
    return all > behind ? all - behind : 0;
}

}  // namespace mitral::uplink
