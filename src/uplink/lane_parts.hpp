// One lane of one spool in parts, oldest first: what piled up while the hub was away, and behind it
// what is written now (docs/decisions/0005). Mostly there is one part, which does not end.
// Not thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/event_loop.hpp"
#include "base/result.hpp"
#include "uplink/lane_feed.hpp"
#include "uplink/status.hpp"
#include "uplink/wake_once.hpp"

namespace mitral::uplink {

struct LanePart {
    LaneFeed feed;
    std::unique_ptr<WakeOnce> wake;
    std::string trouble;
    std::optional<base::MonotonicTime> retry_at;
    std::uint32_t retries = 0;
};

class LaneParts {
  public:
    // A second outage while a backlog drains makes a third part; beyond this none is made.
    static constexpr std::size_t max_parts = 4;

    LaneParts(FeedName name, LaneFeed::OpenReader open, base::EventLoop& loop,
              std::function<void()> on_wake);
    LaneParts(const LaneParts&) = delete;
    LaneParts& operator=(const LaneParts&) = delete;

    [[nodiscard]] const FeedName& name() const noexcept { return name_; }
    // At least one; the last is the live one, the others end.
    [[nodiscard]] std::size_t count() const noexcept { return parts_.size(); }
    [[nodiscard]] LanePart& operator[](std::size_t index) noexcept { return *parts_[index]; }
    [[nodiscard]] LanePart& live() noexcept { return *parts_.back(); }

    // Makes what is written from now on a part of its own when more than `far` records wait. What
    // fails is left as it is: it may be tried again.
    void split_when_behind(std::uint64_t far);
    // Parts that are done leave; the position goes over to the next.
    void drop_finished();
    // The lane is not the one that was split: one part again, read from the position on. The others
    // are gone.
    [[nodiscard]] base::Status rejoin();

    void acknowledged(std::uint64_t batch);
    void held_up() noexcept;
    [[nodiscard]] base::Status rewind();
    [[nodiscard]] bool must_persist() const noexcept { return parts_.front()->feed.must_persist(); }
    [[nodiscard]] base::Status persist() { return parts_.front()->feed.persist(); }
    [[nodiscard]] LaneStatus status();

  private:
    void add(LaneFeed feed);

    FeedName name_;
    base::EventLoop& loop_;
    std::function<void()> on_wake_;
    std::uint64_t parts_made_ = 0;
    std::vector<std::unique_ptr<LanePart>> parts_;
};

}  // namespace mitral::uplink
