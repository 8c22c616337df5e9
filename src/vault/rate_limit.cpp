#include "vault/rate_limit.hpp"

#include <algorithm>

namespace mitral::vault {
namespace {

constexpr std::int64_t minute_ns = 60'000'000'000;

}  // namespace

RateLimiter::RateLimiter(RateLimit limit) noexcept
    : RateLimiter(minute_ns, limit.per_minute, limit.burst) {}

RateLimiter::RateLimiter(MintLimit limit) noexcept
    : RateLimiter(60 * minute_ns, limit.per_hour, limit.burst) {}

RateLimiter::RateLimiter(PseudonymLimit limit) noexcept
    : RateLimiter(60 * minute_ns, limit.per_hour, limit.burst) {}

RateLimiter::RateLimiter(EvidenceLimit limit) noexcept
    : RateLimiter(60 * minute_ns, limit.per_hour, limit.burst) {}

// Counted in time, not in fractions of a request: integers do not drift.
RateLimiter::RateLimiter(std::int64_t period_ns, std::uint32_t per_period,
                         std::uint32_t burst) noexcept
    : cost_ns_(period_ns / std::max<std::int64_t>(1, per_period)),
      full_ns_(cost_ns_ * std::max<std::int64_t>(1, burst)) {}

bool RateLimiter::admit(uid_t uid, base::MonotonicTime now) {
    auto [entry, is_new] = buckets_.try_emplace(uid, Bucket{full_ns_, now});
    Bucket& bucket = entry->second;
    bucket.filled_ns =
        std::min(full_ns_, bucket.filled_ns + std::min(full_ns_, now.ns - bucket.last.ns));
    bucket.last = now;
    if (bucket.filled_ns < cost_ns_)
        return false;
    bucket.filled_ns -= cost_ns_;
    return true;
}

void RateLimiter::give_back(uid_t uid) {
    if (const auto bucket = buckets_.find(uid); bucket != buckets_.end())
        bucket->second.filled_ns = std::min(full_ns_, bucket->second.filled_ns + cost_ns_);
}

}  // namespace mitral::vault
