// All lanes of all spools, and which of them is next: alerts before vitals before waves; spools of
// the same lane take turns. A lane in trouble is left alone for a while and never holds up others.
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
#include "uplink/lane_feed.hpp"
#include "uplink/pacer.hpp"
#include "uplink/status.hpp"

namespace mitral::uplink {

class Feeds {
  public:
    // `on_wake`: there may be something to send.
    Feeds(base::EventLoop& loop, const base::Clock& clock, std::uint32_t max_messages_per_s,
          std::function<void()> on_wake);
    ~Feeds();
    Feeds(const Feeds&) = delete;
    Feeds& operator=(const Feeds&) = delete;

    void add(FeedName name, LaneFeed::OpenReader open);

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
    struct Slot {
        LaneFeed feed;
        std::string trouble;
        std::optional<base::MonotonicTime> retry_at;
        std::uint32_t retries = 0;
        int watched = -1;    // descriptor
        bool armed = false;  // readiness is reported
    };
    [[nodiscard]] const Outgoing* look_at(Slot& slot);
    void trouble(Slot& slot, const base::Error& error);
    void watch(Slot& slot);
    void wake_at(base::MonotonicTime due);

    base::EventLoop& loop_;
    const base::Clock& clock_;
    Pacer pacer_;
    std::function<void()> on_wake_;
    std::vector<std::unique_ptr<Slot>> slots_;
    std::array<std::uint32_t, 3> turn_{};  // per lane, who comes first
    std::optional<base::EventLoop::TimerId> timer_;
    base::MonotonicTime timer_due_;
};

}  // namespace mitral::uplink
