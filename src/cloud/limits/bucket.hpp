#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

#include "base/clock.hpp"

namespace mitral::cloud::limits {

// So much in a period on average, and as much at once after a quiet one. Beyond that, what would
// not wait longer than `queue` is let through late: the traffic shaping of IoT Hub.
class Bucket {
  public:
    Bucket(std::int64_t amount, base::Milliseconds period,
           base::Milliseconds queue = base::Milliseconds(0))
        : interval_ns_(std::max<std::int64_t>(1, period.count() * 1'000'000 / amount)),
          burst_ns_(period.count() * 1'000'000),
          queue_(queue) {}

    // How long this has to wait; none: refused, and nothing was taken.
    [[nodiscard]] std::optional<base::Milliseconds> take(base::MonotonicTime now,
                                                         std::int64_t cost = 1) {
        const auto free_at = std::max(full_at_, now.ns) + cost * interval_ns_;
        const base::Milliseconds wait(
            (std::max<std::int64_t>(0, free_at - burst_ns_ - now.ns) + 999'999) / 1'000'000);
        // What is larger than the bucket goes when that is full.
        if (wait > queue_ && full_at_ > now.ns)
            return std::nullopt;
        full_at_ = free_at;
        return std::min(wait, queue_);
    }

    // What was taken just now came to nothing.
    void give_back(std::int64_t cost) { full_at_ -= cost * interval_ns_; }

  private:
    std::int64_t interval_ns_;
    std::int64_t burst_ns_;
    base::Milliseconds queue_;
    std::int64_t full_at_ = 0;  // all that was taken is back
};

}  // namespace mitral::cloud::limits
