#include "vault/rate_limit.hpp"

#include <algorithm>

namespace mitral::vault {

// Counted in time, not in fractions of a request: integers do not drift.
bool RateLimiter::admit(uid_t uid, base::MonotonicTime now) {
    const std::int64_t cost = 60'000'000'000 / std::max<std::int64_t>(1, limit_.per_minute);
    const std::int64_t full = cost * std::max<std::int64_t>(1, limit_.burst);
    auto [entry, is_new] = buckets_.try_emplace(uid, Bucket{full, now});
    Bucket& bucket = entry->second;
    bucket.filled_ns = std::min(full, bucket.filled_ns + std::min(full, now.ns - bucket.last.ns));
    bucket.last = now;
    if (bucket.filled_ns < cost)
        return false;
    bucket.filled_ns -= cost;
    return true;
}

}  // namespace mitral::vault
