// How often something may happen: `rate` times a second on average, up to one second's worth at
// once (the generic cell rate algorithm, ITU-T I.371 annex A).
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/clock.hpp"

namespace mitral::intake::hl7 {

class TokenBucket {
  public:
    explicit TokenBucket(std::int64_t rate) noexcept : interval_ns_(second_ns / rate) {}

    // How long to wait until one may be taken; zero: now.
    [[nodiscard]] base::Milliseconds wait(base::MonotonicTime now) const noexcept {
        const auto early_ns = due_ns_ - now.ns - second_ns;
        return early_ns < 0 ? base::Milliseconds(0) : base::Milliseconds(early_ns / ms_ns + 1);
    }
    // Takes `count`, even when that means a longer wait for the next.
    void take(std::int64_t count, base::MonotonicTime now) noexcept {
        due_ns_ = std::max(due_ns_, now.ns) + count * interval_ns_;
    }
    // Nothing has been taken for so long that it does not matter any more.
    [[nodiscard]] bool full(base::MonotonicTime now) const noexcept { return due_ns_ <= now.ns; }

  private:
    static constexpr std::int64_t second_ns = 1'000'000'000;
    static constexpr std::int64_t ms_ns = 1'000'000;

    std::int64_t interval_ns_;
    std::int64_t due_ns_ = 0;
};

}  // namespace mitral::intake::hl7
