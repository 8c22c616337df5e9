// A token bucket over published messages: hubs drop the connection of a device that sends too fast
// (AZURE quotas), so a backlog is drained at a chosen rate. No I/O.
#pragma once

#include <cstdint>

#include "base/clock.hpp"

namespace mitral::uplink {

class Pacer {
  public:
    // 0: no limit. An eighth of a second's worth (at least one message) may go at once, and as much
    // again that is urgent: in no second go more than the rate and a quarter of it (for rates below
    // 8/s: the rate and two). What was urgent is paid back by what follows.
    explicit Pacer(std::uint32_t messages_per_second) noexcept;

    // Takes a permit if there is one.
    [[nodiscard]] bool take(base::MonotonicTime now, bool urgent = false) noexcept;
    // When the next permit is there; now or earlier: at once.
    [[nodiscard]] base::MonotonicTime next(base::MonotonicTime now,
                                           bool urgent = false) const noexcept;

  private:
    void refill(base::MonotonicTime now) noexcept;
    [[nodiscard]] std::int64_t price(bool urgent) const noexcept {
        return urgent ? interval_ns_ - burst_ns_ : interval_ns_;
    }

    std::int64_t interval_ns_;  // between permits; 0: no limit
    std::int64_t burst_ns_;
    std::int64_t credit_ns_;  // interval_ns_ of it buys a permit; -burst_ns_…burst_ns_
    base::MonotonicTime refilled_;
};

}  // namespace mitral::uplink
