// When a token is replaced. No I/O.
#pragma once

#include <cstdint>

#include "base/clock.hpp"

namespace mitral::uplink {

// Between 75 % and 85 % of the lifetime, by `random` (uniform), so that a fleet that started
// together does not renew together.
[[nodiscard]] base::Milliseconds renewal_delay(base::Milliseconds lifetime,
                                               std::uint64_t random) noexcept;

// How long the token will be good for: what was asked for, or less if the trust zone gave less. On
// a gateway whose wall clock is off, `not_after_s` says nothing and the request stands.
[[nodiscard]] base::Milliseconds usable_lifetime(base::Milliseconds requested,
                                                 std::int64_t not_after_s,
                                                 base::WallTime now) noexcept;

// Whether a token that no hub has seen yet is worth sending: more than half of its life is left, by
// the clock that nobody sets and by the one the hub's verdict goes by.
[[nodiscard]] bool has_half_its_life(base::Milliseconds lifetime, base::Milliseconds age,
                                     std::int64_t not_after_s, base::WallTime now) noexcept;

}  // namespace mitral::uplink
