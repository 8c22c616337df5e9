// After repeated failures (a vault that is away, a full disk) waits longer and longer before it
// lets the next attempt through, so that a stream of readings does not become a storm of attempts.
#pragma once

#include <algorithm>

#include "base/clock.hpp"

namespace mitral::spool {

class Holdoff {
  public:
    // The first failure may be retried at once.
    void failed(base::MonotonicTime now) noexcept {
        ++failures_;
        if (failures_ > 1)
            until_ = now + std::min(longest, shortest * (1 << std::min(failures_ - 2, 8)));
    }
    void succeeded() noexcept { *this = {}; }
    [[nodiscard]] bool holds(base::MonotonicTime now) const noexcept { return now < until_; }

  private:
    static constexpr base::Milliseconds shortest{50};
    static constexpr base::Milliseconds longest{2'000};

    int failures_ = 0;
    base::MonotonicTime until_;
};

}  // namespace mitral::spool
