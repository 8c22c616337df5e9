#include "uplink/feeds.hpp"

#include <algorithm>

#include "base/log.hpp"
#include "spool/errors.hpp"

namespace mitral::uplink {
namespace {

constexpr base::Milliseconds first_retry{1'000};
constexpr std::uint32_t max_retry_step = 6;  // 64 s
// Without a call for this long: the hub answers slowly, and the window is full.
constexpr base::Milliseconds read_ahead_ages{100};
constexpr base::Milliseconds look_interval{10'000};

}  // namespace

// What is gone so soon is not worth a part of its own. A record makes a message or two at most,
// mostly far less.
std::uint64_t Feeds::far_behind(std::uint32_t max_messages_per_s) noexcept {
    constexpr std::uint64_t least = 256;
    constexpr std::uint64_t without_a_limit = 65'536;
    constexpr std::uint64_t seconds = 3;
    return max_messages_per_s == 0 ? without_a_limit
                                   : std::max(least, seconds * max_messages_per_s);
}

Feeds::Feeds(base::EventLoop& loop, const base::Clock& clock, std::uint32_t max_messages_per_s,
             std::function<void()> on_wake, std::uint64_t far_behind)
    : loop_(loop),
      clock_(clock),
      pacer_(max_messages_per_s),
      on_wake_(std::move(on_wake)),
      far_behind_(far_behind) {}

Feeds::~Feeds() {
    if (timer_)
        loop_.cancel(*timer_);
}

void Feeds::add(FeedName name, LaneFeed::OpenReader open) {
    lanes_.push_back(
        std::make_unique<Lane>(std::move(name), std::move(open), loop_, [this] { on_wake_(); }));
}

// Alerts stay in order: they are few, go first anyway, and tell what happened in turn.
void Feeds::put_live_first() {
    look_again_ = clock_.monotonic() + look_interval;
    for (const auto& lane : lanes_) {
        if (lane->parts.name().lane != spool::Lane::alerts)
            lane->parts.split_when_behind(far_behind_);
    }
}

// What was read ahead may meanwhile have been given up, and told as a gap.
void Feeds::held_up() noexcept {
    for (const auto& lane : lanes_)
        lane->parts.held_up();
}

std::optional<Feeds::Choice> Feeds::next() {
    const base::MonotonicTime now = clock_.monotonic();
    if (now >= look_again_)
        put_live_first();
    if (now - asked_ >= read_ahead_ages)
        held_up();
    asked_ = now;
    const Turns::Order order = turns_.order();
    for (const Urgency urgency : order) {
        const auto choice = find(urgency);
        if (!choice) {
            turns_.had_none(urgency);
            continue;
        }
        // What goes in an alert's place goes with its right.
        const bool urgent = urgency == Urgency::alert || order.front() != Urgency::alert;
        if (!pacer_.take(now, urgent)) {
            wake_at(pacer_.next(now, urgent));
            held_up();
            return std::nullopt;
        }
        turns_.sent(urgency);
        turn(lanes_[choice->feed]->parts.name().lane, urgency == Urgency::backlog) =
            choice->feed + 1;
        return choice;
    }
    return std::nullopt;
}

// Live waves before the vitals of the backlog: somebody may be looking at them now.
std::optional<Feeds::Choice> Feeds::find(Urgency urgency) {
    if (urgency == Urgency::alert)
        return find(spool::Lane::alerts, false);
    for (const spool::Lane lane : {spool::Lane::vitals, spool::Lane::waves}) {
        if (const auto choice = find(lane, urgency == Urgency::backlog))
            return choice;
    }
    return std::nullopt;
}

std::optional<Feeds::Choice> Feeds::find(spool::Lane wanted, bool backlog) {
    const auto count = static_cast<std::uint32_t>(lanes_.size());
    const std::uint32_t first = turn(wanted, backlog);
    for (std::uint32_t i = 0; i < count; ++i) {
        const std::uint32_t index = (first + i) % count;
        Lane& lane = *lanes_[index];
        if (lane.parts.name().lane != wanted)
            continue;
        if (const Outgoing* message = look_at(lane, backlog))
            return Choice{index, message};
    }
    return std::nullopt;
}

// Of a backlog the oldest part first: it is what the bound of the disk would take next.
const Outgoing* Feeds::look_at(Lane& lane, bool backlog) {
    if (!backlog)
        return look_at(lane, lane.parts.live());
    for (std::size_t i = 0; i + 1 < lane.parts.count(); ++i) {
        if (const Outgoing* message = look_at(lane, lane.parts[i]))
            return message;
    }
    lane.parts.drop_finished();
    return nullptr;
}

const Outgoing* Feeds::look_at(Lane& lane, LanePart& part) {
    if (part.retry_at) {
        if (clock_.monotonic() < *part.retry_at) {
            wake_at(*part.retry_at);
            return nullptr;
        }
        part.retry_at.reset();
    }
    const auto message = part.feed.front();
    if (!message) {
        if (message.error().code == spool::SpoolError::lane_replaced)
            rejoin(lane, message.error());  // the part may be gone now
        else
            trouble(lane.parts.name(), part, message.error());
        return nullptr;
    }
    if (!part.trouble.empty()) {
        base::log(base::Severity::notice, "lane-recovered",
                  {{"spool", lane.parts.name().writer},
                   {"lane", spool::to_string(lane.parts.name().lane)}});
        part.trouble.clear();
    }
    part.retries = 0;
    if (part.feed.drained())
        part.wake->arm(part.feed.wake_descriptor());
    lane.chosen = &part;
    return *message;
}

void Feeds::rejoin(Lane& lane, const base::Error& why) {
    base::log(base::Severity::warning, "lane-rejoined",
              {{"spool", lane.parts.name().writer},
               {"lane", spool::to_string(lane.parts.name().lane)},
               {"cause", why.message()},
               {"done", "read again in order from the acknowledged position"}});
    if (const auto done = lane.parts.rejoin(); !done)
        trouble(lane.parts.name(), lane.parts.live(), done.error());
    wake_at(clock_.monotonic());
}

void Feeds::trouble(const FeedName& name, LanePart& part, const base::Error& error) {
    part.retry_at =
        clock_.monotonic() + first_retry * (1U << std::min(part.retries, max_retry_step));
    ++part.retries;
    wake_at(*part.retry_at);
    if (part.trouble == error.message())
        return;  // said already
    part.trouble = error.message();
    base::log(base::Severity::warning, "lane-stopped",
              {{"spool", name.writer},
               {"lane", spool::to_string(name.lane)},
               {"cause", part.trouble},
               {"done", "tried again later; other lanes go on"}});
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
    return lanes_[feed]->chosen->feed.front_batch();
}

void Feeds::pop(std::uint32_t feed) {
    lanes_[feed]->chosen->feed.pop_front();
}

void Feeds::hold(std::uint32_t feed, const base::Error& why) {
    trouble(lanes_[feed]->parts.name(), *lanes_[feed]->chosen, why);
}

void Feeds::acknowledged(std::uint32_t feed, std::uint64_t batch) {
    lanes_[feed]->parts.acknowledged(batch);
}

void Feeds::rewind() {
    for (const auto& lane : lanes_) {
        if (const auto done = lane->parts.rewind(); !done)
            trouble(lane->parts.name(), lane->parts.live(), done.error());
    }
}

bool Feeds::must_persist() const noexcept {
    return std::ranges::any_of(lanes_, [](const auto& lane) { return lane->parts.must_persist(); });
}

void Feeds::persist() {
    for (const auto& lane : lanes_) {
        if (const auto done = lane->parts.persist(); !done)
            base::log(base::Severity::error, "acknowledgement-not-stored",
                      {{"spool", lane->parts.name().writer},
                       {"lane", spool::to_string(lane->parts.name().lane)},
                       {"cause", done.error().message()},
                       {"done", "after a restart these messages go out again"}});
    }
}

std::vector<LaneStatus> Feeds::status() {
    std::vector<LaneStatus> lanes;
    for (const auto& lane : lanes_)
        lanes.push_back(lane->parts.status());
    return lanes;
}

}  // namespace mitral::uplink
