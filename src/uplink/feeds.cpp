#include "uplink/feeds.hpp"

#include <algorithm>

#include "base/log.hpp"

namespace mitral::uplink {
namespace {

constexpr base::Milliseconds first_retry{1'000};
constexpr std::uint32_t max_retry_step = 6;  // 64 s

}  // namespace

Feeds::Feeds(base::EventLoop& loop, const base::Clock& clock, std::uint32_t max_messages_per_s,
             std::function<void()> on_wake)
    : loop_(loop), clock_(clock), pacer_(max_messages_per_s), on_wake_(std::move(on_wake)) {}

Feeds::~Feeds() {
    for (const auto& slot : slots_) {
        if (slot->watched >= 0)
            loop_.unwatch(slot->watched);
    }
    if (timer_)
        loop_.cancel(*timer_);
}

void Feeds::add(FeedName name, LaneFeed::OpenReader open) {
    slots_.push_back(std::make_unique<Slot>(
        Slot{.feed = LaneFeed(std::move(name), std::move(open)), .trouble = {}, .retry_at = {}}));
}

std::optional<Feeds::Choice> Feeds::next() {
    const base::MonotonicTime now = clock_.monotonic();
    const auto count = static_cast<std::uint32_t>(slots_.size());
    for (const spool::Lane lane : spool::lanes_by_priority) {
        std::uint32_t& turn = turn_[static_cast<std::size_t>(lane)];
        for (std::uint32_t i = 0; i < count; ++i) {
            const std::uint32_t index = (turn + i) % count;
            Slot& slot = *slots_[index];
            if (slot.feed.name().lane != lane)
                continue;
            const Outgoing* message = look_at(slot);
            if (message == nullptr)
                continue;
            // Alerts are never paced: they are few, and they are why somebody looks at the screen.
            if (lane != spool::Lane::alerts && !pacer_.take(now)) {
                wake_at(pacer_.next(now));
                return std::nullopt;
            }
            turn = index + 1;
            return Choice{index, message};
        }
    }
    return std::nullopt;
}

const Outgoing* Feeds::look_at(Slot& slot) {
    if (slot.retry_at) {
        if (clock_.monotonic() < *slot.retry_at) {
            wake_at(*slot.retry_at);
            return nullptr;
        }
        slot.retry_at.reset();
    }
    const auto message = slot.feed.front();
    if (!message) {
        trouble(slot, message.error());
        return nullptr;
    }
    if (!slot.trouble.empty()) {
        base::log(base::Severity::notice, "lane-recovered",
                  {{"spool", slot.feed.name().writer},
                   {"lane", spool::to_string(slot.feed.name().lane)}});
        slot.trouble.clear();
    }
    slot.retries = 0;
    if (*message == nullptr)
        watch(slot);
    return *message;
}

void Feeds::trouble(Slot& slot, const base::Error& error) {
    slot.retry_at =
        clock_.monotonic() + first_retry * (1U << std::min(slot.retries, max_retry_step));
    ++slot.retries;
    wake_at(*slot.retry_at);
    if (slot.trouble == error.message())
        return;  // said already
    slot.trouble = error.message();
    base::log(base::Severity::warning, "lane-stopped",
              {{"spool", slot.feed.name().writer},
               {"lane", spool::to_string(slot.feed.name().lane)},
               {"cause", slot.trouble},
               {"done", "tried again later; other lanes go on"}});
}

// Readiness is level-triggered: it is switched off at the first sign and on again once the lane has
// been read to its end, so that a lane that may not send yet does not spin the loop.
void Feeds::watch(Slot& slot) {
    const int descriptor = slot.feed.wake_descriptor();
    if (slot.armed || descriptor < 0)
        return;
    if (slot.watched == descriptor) {
        slot.armed = loop_.modify(descriptor, base::EventLoop::readable).has_value();
        return;
    }
    if (slot.watched >= 0)
        loop_.unwatch(slot.watched);
    const auto set =
        loop_.watch(descriptor, base::EventLoop::readable, [this, &slot](std::uint32_t) {
            slot.feed.woken();
            slot.armed = false;
            (void)loop_.modify(slot.watched, 0);  // a watch that stays on costs a wake-up, no more
            on_wake_();
        });
    slot.watched = set ? descriptor : -1;
    slot.armed = set.has_value();
}

void Feeds::wake_at(base::MonotonicTime due) {
    if (timer_ && timer_due_ <= due)
        return;
    if (timer_)
        loop_.cancel(*timer_);
    timer_due_ = due;
    timer_ = loop_.after(due - clock_.monotonic() + base::Milliseconds(1), [this] {
        timer_.reset();
        on_wake_();
    });
}

std::uint64_t Feeds::batch_of(std::uint32_t feed) const {
    return slots_[feed]->feed.front_batch();
}

void Feeds::pop(std::uint32_t feed) {
    slots_[feed]->feed.pop_front();
}

void Feeds::hold(std::uint32_t feed, const base::Error& why) {
    trouble(*slots_[feed], why);
}

void Feeds::acknowledged(std::uint32_t feed, std::uint64_t batch) {
    slots_[feed]->feed.acknowledged(batch);
}

void Feeds::rewind() {
    for (const auto& slot : slots_) {
        if (const auto done = slot->feed.rewind(); !done)
            trouble(*slot, done.error());
    }
}

bool Feeds::must_persist() const noexcept {
    return std::ranges::any_of(slots_, [](const auto& slot) { return slot->feed.must_persist(); });
}

void Feeds::persist() {
    for (const auto& slot : slots_) {
        if (const auto done = slot->feed.persist(); !done)
            base::log(base::Severity::error, "acknowledgement-not-stored",
                      {{"spool", slot->feed.name().writer},
                       {"lane", spool::to_string(slot->feed.name().lane)},
                       {"cause", done.error().message()},
                       {"done", "after a restart these messages go out again"}});
    }
}

std::vector<LaneStatus> Feeds::status() {
    std::vector<LaneStatus> lanes;
    for (const auto& slot : slots_)
        lanes.push_back({slot->feed.name(), slot->feed.counters(), slot->feed.position(),
                         slot->feed.backlog(), slot->trouble});
    return lanes;
}

}  // namespace mitral::uplink
