// A token bucket per peer (uid): nobody exhausts the trust zone or floods the log.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>

#include "base/clock.hpp"

namespace mitral::vault {

struct RateLimit {
    std::uint32_t burst = 240;       // requests at once
    std::uint32_t per_minute = 240;  // and this many more each minute
};

class RateLimiter {
  public:
    explicit RateLimiter(RateLimit limit) noexcept : limit_(limit) {}

    [[nodiscard]] bool admit(uid_t uid, base::MonotonicTime now);

  private:
    struct Bucket {
        std::int64_t filled_ns = 0;  // of refill time in the bucket
        base::MonotonicTime last;
    };

    RateLimit limit_;
    std::map<uid_t, Bucket> buckets_;  // as many as there are users on the unit
};

}  // namespace mitral::vault
