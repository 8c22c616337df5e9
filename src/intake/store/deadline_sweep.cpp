#include "intake/store/deadline_sweep.hpp"

#include <algorithm>
#include <utility>

namespace mitral::intake {

DeadlineSweep::DeadlineSweep(base::EventLoop& loop, const base::Clock& clock, Sweep sweep)
    : loop_(loop), clock_(clock), sweep_(std::move(sweep)) {}

DeadlineSweep::~DeadlineSweep() {
    if (timer_)
        loop_.cancel(*timer_);
}

void DeadlineSweep::expect(base::MonotonicTime due) {
    if (!timer_ || due < due_)
        schedule(due, clock_.monotonic());
}

void DeadlineSweep::schedule(base::MonotonicTime due, base::MonotonicTime now) {
    if (timer_)
        loop_.cancel(*timer_);
    due_ = due;
    // A whole millisecond more: a timer may not fire before the deadline it is for.
    timer_ =
        loop_.after(std::max(due - now, base::Milliseconds(0)) + base::Milliseconds(1), [this] {
            timer_.reset();
            sweep();
        });
}

void DeadlineSweep::sweep() {
    const auto now = clock_.monotonic();
    if (const auto next = sweep_(now))
        schedule(*next, now);
}

}  // namespace mitral::intake
