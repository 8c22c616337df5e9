// When to try again. Exponential back-off with jitter, so that neither a hub that is away nor one
// that accepts connections and drops every message (a used-up quota) is ever stormed, and a fleet
// does not come back in step. No I/O.
#pragma once

#include <cstdint>
#include <functional>

#include "base/clock.hpp"

namespace mitral::uplink {

enum class FailureKind : std::uint8_t {
    unreachable,     // name, network, proxy, TLS, no answer, closed
    throttled,       // CONNACK 3
    authentication,  // CONNACK 2, 4, 5: the same token will not do better at once
    violation,       // the hub broke the protocol
};

struct ReconnectOptions {
    base::Milliseconds first{1'000};
    base::Milliseconds ceiling{60'000};
    base::Milliseconds slow_ceiling{300'000};  // for authentication failures beyond the limit
    base::Milliseconds stable_after{30'000};   // a connection that lasted this long starts afresh
    std::uint32_t authentication_limit = 3;
    std::uint32_t reassign_after = 10;  // failures in a row, or authentication_limit
};

class ReconnectPolicy {
  public:
    // `random` yields uniform 64-bit numbers.
    ReconnectPolicy(ReconnectOptions options, std::function<std::uint64_t()> random);

    // A connection came up and has ended, after `lasted`. It counts as stable only if the hub
    // acknowledged what it was sent: a hub that takes connections and drops messages is a failure.
    // One that acknowledged anything at all has not refused the device's credentials.
    void ended(base::Milliseconds lasted, bool nothing_acknowledged, bool had_sent);
    // An attempt or a connection failed: how long to wait before the next attempt.
    // Never below a tenth of the present step: that bounds attempts per hour.
    [[nodiscard]] base::Milliseconds failed(FailureKind kind);

    [[nodiscard]] std::uint32_t consecutive_failures() const noexcept { return failures_; }
    // True once per run of failures that says: the assignment may be stale, enrol again.
    [[nodiscard]] bool take_reassign_hint() noexcept;

  private:
    ReconnectOptions options_;
    std::function<std::uint64_t()> random_;
    std::uint32_t failures_ = 0;
    std::uint32_t authentication_failures_ = 0;
    bool hinted_ = false;
};

}  // namespace mitral::uplink
