#include "uplink/lane_parts.hpp"

#include <algorithm>
#include <utility>

#include "base/log.hpp"

namespace mitral::uplink {
namespace {

// Batches of one part are never taken for those of another: no part has as many.
constexpr std::uint64_t batches_of_a_part = 1ULL << 40;

}  // namespace

LaneParts::LaneParts(FeedName name, LaneFeed::OpenReader open, base::EventLoop& loop,
                     std::function<void()> on_wake)
    : name_(std::move(name)), loop_(loop), on_wake_(std::move(on_wake)) {
    add(LaneFeed(name_, std::move(open)));
}

void LaneParts::add(LaneFeed feed) {
    parts_.push_back(std::make_unique<LanePart>(
        LanePart{.feed = std::move(feed), .wake = {}, .trouble = {}, .retry_at = {}}));
    LanePart& part = *parts_.back();
    part.wake = std::make_unique<WakeOnce>(loop_, [this, &part] {
        part.feed.woken();
        on_wake_();
    });
}

void LaneParts::split_when_behind(std::uint64_t far) {
    if (parts_.size() >= max_parts)
        return;
    auto later = live().feed.split(far, (parts_made_ + 1) * batches_of_a_part);
    if (!later || !*later)
        return;
    ++parts_made_;
    base::log(base::Severity::notice, "live-first",
              {{"spool", name_.writer},
               {"lane", spool::to_string(name_.lane)},
               {"position", parts_.front()->feed.position()},
               {"live_from", (*later)->position() + 1},
               {"parts", parts_.size() + 1}});
    add(*std::move(*later));
}

void LaneParts::drop_finished() {
    while (parts_.size() > 1 && parts_.front()->feed.finished()) {
        parts_[1]->feed.take_over(parts_.front()->feed);
        parts_.erase(parts_.begin());
        if (parts_.size() == 1)
            base::log(base::Severity::notice, "backlog-drained",
                      {{"spool", name_.writer},
                       {"lane", spool::to_string(name_.lane)},
                       {"position", parts_.front()->feed.position()}});
    }
}

base::Status LaneParts::rejoin() {
    LaneFeed& first = parts_.front()->feed;
    for (std::size_t i = 1; i < parts_.size(); ++i)
        first.add_counters(parts_[i]->feed.counters());
    parts_.erase(parts_.begin() + 1, parts_.end());
    return first.join();
}

void LaneParts::acknowledged(std::uint64_t batch) {
    for (const auto& part : parts_)
        part->feed.acknowledged(batch);
    drop_finished();
}

void LaneParts::held_up() noexcept {
    for (const auto& part : parts_)
        part->feed.held_up();
}

base::Status LaneParts::rewind() {
    base::Status status;
    for (const auto& part : parts_) {
        if (auto done = part->feed.rewind(); !done && status)
            status = std::move(done);
    }
    return status;
}

LaneStatus LaneParts::status() {
    LaneStatus status;
    status.name = name_;
    status.position = parts_.front()->feed.position();
    status.parts = parts_.size();
    status.live_backlog = live().feed.backlog();
    status.backlog = status.live_backlog;
    const std::uint64_t last = live().feed.position() + status.live_backlog;
    for (const auto& part : parts_) {
        status.counters += part->feed.counters();
        if (status.trouble.empty())
            status.trouble = part->trouble;
        if (part != parts_.back())
            status.backlog += part->feed.backlog_of_part(last);
    }
    return status;
}

}  // namespace mitral::uplink
