#include "uplink/lane_feed.hpp"

#include "base/fail_point.hpp"
#include "base/log.hpp"
#include "spool/errors.hpp"

namespace mitral::uplink {
namespace {

// nullptr: the error may pass, and nothing is given up.
const char* event_of(const std::error_code& code) {
    if (code == spool::SpoolError::tampered)
        return "spool-tampered";
    if (code == spool::SpoolError::damaged)
        return "spool-damaged";
    return code == spool::SpoolError::key_void ? "spool-key-void" : nullptr;
}

}  // namespace

FeedCounters& FeedCounters::operator+=(const FeedCounters& other) noexcept {
    messages += other.messages;
    records += other.records;
    gaps += other.gaps;
    unreadable += other.unreadable;
    return *this;
}

LaneFeed::LaneFeed(FeedName name, OpenReader open, std::uint64_t first_batch)
    : name_(std::move(name)), open_(std::move(open)), building_(name_), first_batch_(first_batch) {}

base::Result<const Outgoing*> LaneFeed::front() {
    if (std::exchange(held_up_, false) && reader_ && reader_->dropped_meanwhile().value_or(false))
        MITRAL_CHECK(rewind());
    if (ready_.empty() && !drained_)
        MITRAL_CHECK(load());
    return ready_.empty() ? nullptr : &ready_.front().message;
}

base::Status LaneFeed::open_reader() {
    if (!reader_) {
        MITRAL_TRY(reader_, open_());
    }
    return {};
}

base::Status LaneFeed::load() {
    MITRAL_CHECK(open_reader());
    while (ready_.empty() && !exhausted_) {
        auto next = read();
        if (!next) {
            MITRAL_CHECK(step_over(next.error()));
            continue;
        }
        std::optional<spool::Record> record = *std::move(next);
        if (!record) {
            drained_ = true;
            return {};
        }
        if (end_ && record->id.sequence >= *end_) {
            reach_end();
            continue;
        }
        // A jump ends a batch (spool/lane.hpp), and message ids name one stream only.
        const spool::RecordId last = building_.last();
        if (!building_.empty() &&
            (last.stream != record->id.stream || last.sequence + 1 != record->id.sequence)) {
            held_ = std::move(record);
            close_batch();
            note_start_over(held_->id);
            continue;
        }
        note_start_over(record->id);
        last_built_ = record->id;
        building_.add(*record);
        if (record->ends_batch || building_.full())
            close_batch();
        if (end_ && record->id.sequence + 1 >= *end_)
            reach_end();
    }
    return {};
}

base::Result<std::optional<spool::Record>> LaneFeed::read() {
    if (held_)
        return std::exchange(held_, std::nullopt);
    MITRAL_TRY(auto record, reader_->next());
    if (record) {
        if (end_)
            MITRAL_CHECK(check_same_lane(*record));
        last_read_ = record->id.sequence;
        MITRAL_FAIL_POINT("uplink.record-read");
    }
    return record;
}

// What cannot be read is given up and reported, or the lane would stand still for good.
base::Status LaneFeed::step_over(const base::Error& error) {
    const char* event = event_of(error.code);
    if (event == nullptr)
        return std::unexpected(error);
    MITRAL_TRY(const spool::Skipped skipped, reader_->skip_damage());
    const spool::Gap& gap = skipped.gap;
    base::log_security(event, {{"spool", name_.writer},
                               {"lane", spool::to_string(name_.lane)},
                               {"first", gap.first_sequence},
                               {"last", gap.last_sequence},
                               {"cause", error.message()},
                               {"done", "reported to the hub as a gap"}});
    if (!building_.empty())
        close_batch();
    note_start_over({skipped.stream, gap.first_sequence});
    last_built_ = {skipped.stream, gap.last_sequence};
    for (const spool::Gap& told : skipped.told)
        building_.add(skipped.stream, told);
    give_up(skipped.stream, gap);
    if (!building_.empty())
        close_batch();
    return {};
}

// Another lane stands in the place of this one, or an older state of it: what is under way is not
// what now has these numbers.
void LaneFeed::note_start_over(spool::RecordId next) {
    const bool goes_on = next.stream == last_built_.stream && next.sequence > last_built_.sequence;
    if (goes_on || last_built_ == spool::RecordId{})
        return;
    for (Progress& batch : batches_)
        batch.elsewhere = true;
}

// Beyond the end of a part the next part says what it cannot read.
void LaneFeed::give_up(std::uint64_t stream, spool::Gap gap) {
    if (end_ && gap.last_sequence + 1 >= *end_) {
        if (gap.last_sequence != *end_ - 1)
            gap.first_written = gap.last_written = {};  // of the whole, which is not told here
        gap.last_sequence = *end_ - 1;
        exhausted_ = true;
    }
    if (gap.first_sequence <= gap.last_sequence)
        building_.add(stream, gap);
}

void LaneFeed::close_batch() {
    BatchBuilder::Batch batch = building_.finish();
    if (batch.unreadable > 0) {
        counters_.unreadable += batch.unreadable;
        base::log_security("spool-record-unreadable", {{"spool", name_.writer},
                                                       {"lane", spool::to_string(name_.lane)},
                                                       {"records", batch.unreadable},
                                                       {"batch_ends", batch.last_sequence},
                                                       {"cause", batch.why_unreadable},
                                                       {"done", "reported to the hub as a gap"}});
    }
    const std::uint64_t number = first_batch_ + batches_.size();
    batches_.push_back({batch.last_sequence, batch.records, batch.gaps, batch.messages.size()});
    for (Outgoing& message : batch.messages)
        ready_.push_back({std::move(message), number});
    settle();
}

void LaneFeed::acknowledged(std::uint64_t batch) {
    const std::uint64_t index = batch - first_batch_;
    if (batch < first_batch_ || index >= batches_.size() || batches_[index].outstanding == 0)
        return;
    --batches_[index].outstanding;
    ++counters_.messages;
    settle();
}

// Only a front without a hole is acknowledged: a later batch waits for the ones before it.
void LaneFeed::settle() {
    while (!batches_.empty() && batches_.front().outstanding == 0) {
        const Progress& done = batches_.front();
        if (!done.elsewhere)
            reader_->acknowledge(done.last_sequence);
        MITRAL_FAIL_POINT("uplink.position-advanced");
        counters_.records += done.records;
        counters_.gaps += done.gaps;
        must_persist_ = true;
        batches_.pop_front();
        ++first_batch_;
    }
}

base::Status LaneFeed::rewind() {
    if (!reader_)
        return {};
    first_batch_ += batches_.size();  // acknowledgements of the old session find nothing
    batches_.clear();
    ready_.clear();
    held_.reset();
    building_.clear();
    drained_ = exhausted_ = false;
    MITRAL_CHECK(reader_->rewind());
    last_read_ = reader_->acknowledged();
    last_built_ = {};
    return {};
}

base::Status LaneFeed::persist() {
    if (!must_persist_)
        return {};
    MITRAL_FAIL_POINT("uplink.store-position");
    MITRAL_CHECK(reader_->persist());
    MITRAL_FAIL_POINT("uplink.position-stored");
    must_persist_ = false;
    return {};
}

std::uint64_t LaneFeed::backlog() {
    if (!open_reader())  // the queue can be long before the first connection is up
        return 0;
    return reader_->backlog().value_or(0);
}

}  // namespace mitral::uplink
