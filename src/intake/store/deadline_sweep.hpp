// One timer for the deadlines of all connections.
#pragma once

#include <functional>
#include <optional>

#include "base/clock.hpp"
#include "base/event_loop.hpp"

namespace mitral::intake {

// Not thread-safe; lives on the loop's thread.
class DeadlineSweep {
  public:
    // Cuts off who is late at `now`; returns the earliest deadline of the others.
    using Sweep = std::function<std::optional<base::MonotonicTime>(base::MonotonicTime now)>;

    DeadlineSweep(base::EventLoop& loop, const base::Clock& clock, Sweep sweep);
    ~DeadlineSweep();
    DeadlineSweep(const DeadlineSweep&) = delete;
    DeadlineSweep& operator=(const DeadlineSweep&) = delete;

    // Somebody has a deadline then. One that is lifted or moved back needs no word.
    void expect(base::MonotonicTime due);

  private:
    void schedule(base::MonotonicTime due, base::MonotonicTime now);
    void sweep();

    base::EventLoop& loop_;
    const base::Clock& clock_;
    Sweep sweep_;
    std::optional<base::EventLoop::TimerId> timer_;
    base::MonotonicTime due_;
};

}  // namespace mitral::intake
