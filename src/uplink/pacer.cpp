#include "uplink/pacer.hpp"

#include <algorithm>

namespace mitral::uplink {
namespace {
constexpr std::int64_t second_ns = 1'000'000'000;
}

Pacer::Pacer(std::uint32_t messages_per_second) noexcept
    : interval_ns_(messages_per_second == 0 ? 0 : second_ns / messages_per_second),
      burst_ns_(std::max(interval_ns_, second_ns / 8)),
      credit_ns_(burst_ns_) {}

void Pacer::refill(base::MonotonicTime now) noexcept {
    if (now > refilled_) {
        credit_ns_ =
            std::min(burst_ns_, credit_ns_ + std::min(now.ns - refilled_.ns, 2 * burst_ns_));
        refilled_ = now;
    }
}

bool Pacer::take(base::MonotonicTime now, bool urgent) noexcept {
    if (interval_ns_ == 0)
        return true;
    refill(now);
    if (credit_ns_ < price(urgent))
        return false;
    credit_ns_ -= interval_ns_;
    return true;
}

base::MonotonicTime Pacer::next(base::MonotonicTime now, bool urgent) const noexcept {
    if (interval_ns_ == 0)
        return now;
    const std::int64_t missing = price(urgent) - credit_ns_;
    return {refilled_.ns + std::max<std::int64_t>(missing, 0)};
}

}  // namespace mitral::uplink
