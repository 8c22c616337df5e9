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

// Tokens have a limit of their own: each is counted in the trust zone's memory, which wears out
// (docs/formats/vault-protocol.md).
struct MintLimit {
    std::uint32_t burst = 120;
    std::uint32_t per_hour = 60;
};

// Pseudonyms too: who may ask tries names until one fits what he saw, and must not use up the
// share from which the same user gets data keys. A ward of 512 monitors that starts takes 512.
struct PseudonymLimit {
    std::uint32_t burst = 600;
    std::uint32_t per_hour = 240;
};

// And evidence: signing it costs the trust zone tens of milliseconds and, now and then, a write.
struct EvidenceLimit {
    std::uint32_t burst = 30;
    std::uint32_t per_hour = 240;
};

struct Limits {
    RateLimit requests;
    MintLimit mints;
    PseudonymLimit pseudonyms{};
    EvidenceLimit evidence{};
};

class RateLimiter {
  public:
    explicit RateLimiter(RateLimit limit) noexcept;
    explicit RateLimiter(MintLimit limit) noexcept;
    explicit RateLimiter(PseudonymLimit limit) noexcept;
    explicit RateLimiter(EvidenceLimit limit) noexcept;

    [[nodiscard]] bool admit(uid_t uid, base::MonotonicTime now);
    // What was admitted last was not used after all.
    void give_back(uid_t uid);

  private:
    RateLimiter(std::int64_t period_ns, std::uint32_t per_period, std::uint32_t burst) noexcept;

    struct Bucket {
        std::int64_t filled_ns = 0;  // of refill time in the bucket
        base::MonotonicTime last;
    };

    std::int64_t cost_ns_;
    std::int64_t full_ns_;
    std::map<uid_t, Bucket> buckets_;  // as many as there are users on the unit
};

}  // namespace mitral::vault
