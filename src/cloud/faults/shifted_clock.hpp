#pragma once

#include "base/clock.hpp"

namespace mitral::cloud::faults {

// The server's wall clock, which a fault can put wrong. Timers run on as they should.
class ShiftedClock final : public base::Clock {
  public:
    explicit ShiftedClock(const base::Clock& clock) : clock_(clock) {}  // `clock` outlives this
    void shift(base::Seconds by) noexcept { by_ = by; }

    [[nodiscard]] base::WallTime wall() const override {
        return {clock_.wall().ms + base::Milliseconds(by_).count()};
    }
    [[nodiscard]] base::MonotonicTime monotonic() const override { return clock_.monotonic(); }
    [[nodiscard]] base::MonotonicTime unsteered() const override { return clock_.unsteered(); }
    [[nodiscard]] base::ClockState state() const override { return clock_.state(); }

  private:
    const base::Clock& clock_;
    base::Seconds by_{0};
};

}  // namespace mitral::cloud::faults
