// A token bucket over published messages: hubs drop the connection of a device that sends too fast
// (AZURE quotas), so a backlog is drained at a chosen rate. No I/O.
#pragma once

#include <cstdint>

#include "base/clock.hpp"

namespace mitral::uplink {

class Pacer {
  public:
    // 0: no limit. A quarter of a second's worth may go at once.
    explicit Pacer(std::uint32_t messages_per_second) noexcept;

    // Takes a permit if there is one.
    [[nodiscard]] bool take(base::MonotonicTime now) noexcept;
    // When the next permit is there; now or earlier: at once.
    [[nodiscard]] base::MonotonicTime next(base::MonotonicTime now) const noexcept;

  private:
    void refill(base::MonotonicTime now) noexcept;

    std::int64_t interval_ns_;  // between permits; 0: no limit
    std::int64_t burst_ns_;
    std::int64_t credit_ns_;  // interval_ns_ of it buys a permit
    base::MonotonicTime refilled_;
};

}  // namespace mitral::uplink
