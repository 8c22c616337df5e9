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

LaneFeed::LaneFeed(FeedName name, OpenReader open)
    : name_(name), open_(std::move(open)), building_(name_) {}

base::Result<const Outgoing*> LaneFeed::front() {
    if (ready_.empty() && !drained_)
        MITRAL_CHECK(load());
    return ready_.empty() ? nullptr : &ready_.front().message;
}

base::Status LaneFeed::load() {
    if (!reader_) {
        MITRAL_TRY(reader_, open_());
    }
    while (ready_.empty()) {
        std::optional<spool::Record> record = std::exchange(held_, std::nullopt);
        if (!record) {
            auto read = reader_->next();
            if (!read) {
                MITRAL_CHECK(step_over(read.error()));
                continue;
            }
            record = *std::move(read);
            if (record)
                MITRAL_FAIL_POINT("uplink.record-read");
        }
        if (!record) {
            drained_ = true;
            return {};
        }
        // A jump ends a batch (spool/lane.hpp), and message ids name one stream only.
        const spool::RecordId last = building_.last();
        if (!building_.empty() &&
            (last.stream != record->id.stream || last.sequence + 1 != record->id.sequence)) {
            held_ = std::move(record);
            close_batch();
            continue;
        }
        building_.add(*record);
        if (record->ends_batch || building_.full())
            close_batch();
    }
    return {};
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
    for (const spool::Gap& told : skipped.told)
        building_.add(skipped.stream, told);
    building_.add(skipped.stream, gap);
    close_batch();
    return {};
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
    drained_ = false;
    return reader_->rewind();
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
    if (!reader_) {  // the queue can be long before the first connection is up
        auto opened = open_();
        if (!opened)
            return 0;
        reader_ = *std::move(opened);
    }
    return reader_->backlog().value_or(0);
}

}  // namespace mitral::uplink
