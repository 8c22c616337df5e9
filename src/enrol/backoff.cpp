#include "enrol/backoff.hpp"

#include <algorithm>
#include <utility>

namespace mitral::enrol {

using base::Milliseconds;

Backoff::Backoff(Milliseconds first, Milliseconds most, Random random)
    : first_(first), most_(most), step_(first), random_(std::move(random)) {}

Milliseconds Backoff::next(Milliseconds at_least) {
    const auto base = std::max(step_, at_least);
    step_ = std::min(step_ * 2, most_);
    const auto half = static_cast<std::uint64_t>(base.count() / 2);
    const Milliseconds spread(static_cast<std::int64_t>(half == 0 ? 0 : random_() % (half + 1)));
    // A server's wish is only ever exceeded; our own step is shortened.
    return at_least >= base ? base + spread : base - spread;
}

}  // namespace mitral::enrol
