// All lanes of all spools, and which of them is next: alerts, then what is written now (vitals
// before waves), then what piled up while the hub was away (docs/decisions/0005); spools of the
// same lane take turns. A lane in trouble is left alone for a while and never holds up others.
// Not thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/event_loop.hpp"
#include "base/result.hpp"
#include "uplink/lane_parts.hpp"
#include "uplink/pacer.hpp"
#include "uplink/status.hpp"
#include "uplink/turns.hpp"

namespace mitral::uplink {

class Feeds {
  public:
    // Records that wait before a lane counts as far behind: what a hub takes in three seconds.
    [[nodiscard]] static std::uint64_t far_behind(std::uint32_t max_messages_per_s) noexcept;
    // `on_wake`: there may be something to send.
    Feeds(base::EventLoop& loop, const base::Clock& clock, std::uint32_t max_messages_per_s,
          std::function<void()> on_wake)
        : Feeds(loop, clock, max_messages_per_s, std::move(on_wake),
                far_behind(max_messages_per_s)) {}
    Feeds(base::EventLoop& loop, const base::Clock& clock, std::uint32_t max_messages_per_s,
          std::function<void()> on_wake, std::uint64_t far_behind);
    ~Feeds();
    Feeds(const Feeds&) = delete;
    Feeds& operator=(const Feeds&) = delete;

    void add(FeedName name, LaneFeed::OpenReader open);

    // A lane that is far behind is read from now on as well as from its position on: live first.
    // Call it when a connection has come up; next() looks again from time to time.
    void put_live_first();

    struct Choice {
        std::uint32_t feed = 0;
        const Outgoing* message = nullptr;
    };
    // nullopt: nothing to send now; on_wake will be called when that may have changed.
    [[nodiscard]] std::optional<Choice> next();
    // The batch of the chosen message, and: it was published.
    [[nodiscard]] std::uint64_t batch_of(std::uint32_t feed) const;
    void pop(std::uint32_t feed);
    // It could not be published: the lane rests for a while.
    void hold(std::uint32_t feed, const base::Error& why);
    void acknowledged(std::uint32_t feed, std::uint64_t batch);

    void rewind();
    [[nodiscard]] bool must_persist() const noexcept;
    void persist();
    [[nodiscard]] std::vector<LaneStatus> status();

  private:
    struct Lane {
        Lane(FeedName name, LaneFeed::OpenReader open, base::EventLoop& loop,
             std::function<void()> on_wake)
            : parts(std::move(name), std::move(open), loop, std::move(on_wake)) {}
        LaneParts parts;
        LanePart* chosen = nullptr;  // by next(), until the next change
    };
    void held_up() noexcept;
    [[nodiscard]] std::optional<Choice> find(Urgency urgency);
    [[nodiscard]] std::optional<Choice> find(spool::Lane lane, bool backlog);
    [[nodiscard]] std::uint32_t& turn(spool::Lane lane, bool backlog) {
        return turn_[backlog ? 1 : 0][static_cast<std::size_t>(lane)];
    }
    [[nodiscard]] const Outgoing* look_at(Lane& lane, bool backlog);
    [[nodiscard]] const Outgoing* look_at(Lane& lane, LanePart& part);
    void rejoin(Lane& lane, const base::Error& why);
    void trouble(const FeedName& name, LanePart& part, const base::Error& error);
    void wake_at(base::MonotonicTime due);

    base::EventLoop& loop_;
    const base::Clock& clock_;
    Pacer pacer_;
    std::function<void()> on_wake_;
    const std::uint64_t far_behind_;  // records
    std::vector<std::unique_ptr<Lane>> lanes_;
    Turns turns_;
    std::array<std::array<std::uint32_t, 3>, 2> turn_{};  // live, backlog: who is first in a lane
    base::MonotonicTime asked_;                           // when next() was called last
    base::MonotonicTime look_again_;                      // for lanes that are far behind
    std::optional<base::EventLoop::TimerId> timer_;
    base::MonotonicTime timer_due_;
};

}  // namespace mitral::uplink
