#include "uplink/reconnect.hpp"

#include <algorithm>

namespace mitral::uplink {
namespace {

constexpr std::uint32_t throttled_head_start = 4;  // 2^4 × first: 16 s instead of 1 s

}  // namespace

ReconnectPolicy::ReconnectPolicy(ReconnectOptions options, std::function<std::uint64_t()> random)
    : options_(options), random_(std::move(random)) {}

void ReconnectPolicy::ended(base::Milliseconds lasted, bool nothing_acknowledged, bool had_sent) {
    if (had_sent && !nothing_acknowledged)
        authentication_failures_ = 0;  // however short: the hub took the token and a message
    if (lasted < options_.stable_after || (had_sent && nothing_acknowledged))
        return;
    failures_ = 0;
    authentication_failures_ = 0;
    hinted_ = false;
}

base::Milliseconds ReconnectPolicy::failed(FailureKind kind) {
    ++failures_;
    if (kind == FailureKind::authentication)  // hubs were seen to answer 5 and 3 in turn
        ++authentication_failures_;

    base::Milliseconds ceiling = options_.ceiling;
    std::uint32_t step = failures_ - 1;
    if (kind == FailureKind::throttled)
        step = std::max(step, throttled_head_start);
    if (authentication_failures_ >= options_.authentication_limit)
        ceiling = options_.slow_ceiling;
    step = std::min(step, 20U);  // the shift below stays far from overflow

    const auto top = std::min<std::int64_t>(options_.first.count() << step, ceiling.count());
    const auto bottom = top / 10;
    const auto spread = static_cast<std::uint64_t>(top - bottom + 1);
    return base::Milliseconds(bottom + static_cast<std::int64_t>(random_() % spread));
}

bool ReconnectPolicy::take_reassign_hint() noexcept {
    const bool due = failures_ >= options_.reassign_after ||
                     authentication_failures_ >= options_.authentication_limit;
    if (!due || hinted_)
        return false;
    hinted_ = true;
    return true;
}

}  // namespace mitral::uplink
