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

}  // namespace mitral::uplink
