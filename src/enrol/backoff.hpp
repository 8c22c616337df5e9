// How long to wait before the next try.
#pragma once

#include <cstdint>
#include <functional>

#include "base/clock.hpp"

namespace mitral::enrol {

// Doubles from `first` to `most`; each wait is a random point of the upper half, so that units
// switched on together do not come back together. What the server asks for is a lower bound.
class Backoff {
  public:
    using Random = std::function<std::uint64_t()>;
    Backoff(base::Milliseconds first, base::Milliseconds most, Random random);

    [[nodiscard]] base::Milliseconds next(base::Milliseconds at_least = base::Milliseconds(0));
    void reset() noexcept { step_ = first_; }

  private:
    base::Milliseconds first_;
    base::Milliseconds most_;
    base::Milliseconds step_;
    Random random_;
};

}  // namespace mitral::enrol
