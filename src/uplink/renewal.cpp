#include "uplink/renewal.hpp"

namespace mitral::uplink {

base::Milliseconds renewal_delay(base::Milliseconds lifetime, std::uint64_t random) noexcept {
    const std::int64_t earliest = lifetime.count() * 75 / 100;
    const std::int64_t spread = lifetime.count() / 10;
    return base::Milliseconds(
        earliest + static_cast<std::int64_t>(random % static_cast<std::uint64_t>(spread + 1)));
}

base::Milliseconds usable_lifetime(base::Milliseconds requested, std::int64_t not_after_s,
                                   base::WallTime now) noexcept {
    const base::Milliseconds left((not_after_s - now.unix_seconds()) * 1000);
    return left > base::Milliseconds(0) && left < requested ? left : requested;
}

bool has_half_its_life(base::Milliseconds lifetime, base::Milliseconds age,
                       std::int64_t not_after_s, base::WallTime now) noexcept {
    const base::Milliseconds half = lifetime / 2;
    const base::Milliseconds left((not_after_s - now.unix_seconds()) * 1000);
    return age < half && left > half;
}

}  // namespace mitral::uplink
