#pragma once

#include <algorithm>
#include <cstdint>

#include "base/clock.hpp"

namespace mitral::cloud::time {

// So many a second on average, and as many at once after a quiet second.
class RateLimit {
  public:
    RateLimit(std::int64_t per_second, base::MonotonicTime now)
        : per_second_(per_second), tokens_(per_second * scale), last_(now) {}

    [[nodiscard]] bool take(base::MonotonicTime now) {
        const auto passed = std::clamp<std::int64_t>((now - last_).count(), 0, 1000);
        if (passed > 0) {
            tokens_ = std::min(tokens_ + passed * per_second_, per_second_ * scale);
            last_ = now;
        }
        if (tokens_ < scale)
            return false;
        tokens_ -= scale;
        return true;
    }

  private:
    static constexpr std::int64_t scale = 1000;  // parts of a token, so that a millisecond counts
    std::int64_t per_second_;
    std::int64_t tokens_;
    base::MonotonicTime last_;
};

}  // namespace mitral::cloud::time
