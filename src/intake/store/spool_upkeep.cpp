#include "intake/store/spool_upkeep.hpp"

#include <algorithm>
#include <utility>

#include "base/log.hpp"
#include "spool/errors.hpp"

namespace mitral::intake {

SpoolUpkeep::SpoolUpkeep(base::EventLoop& loop, spool::Writer& writer, const base::Clock& clock,
                         std::function<void()> before, std::function<void()> after)
    : loop_(loop),
      writer_(writer),
      clock_(clock),
      before_(std::move(before)),
      after_(std::move(after)) {}

SpoolUpkeep::~SpoolUpkeep() {
    if (timer_)
        loop_.cancel(*timer_);
}

void SpoolUpkeep::schedule() {
    if (timer_)
        loop_.cancel(*std::exchange(timer_, std::nullopt));
    const auto due = writer_.next_maintenance();
    if (!due)
        return;
    const auto delay = std::max(*due, not_before_) - clock_.monotonic();
    timer_ = loop_.after(std::max(delay, base::Milliseconds(0)) + base::Milliseconds(1), [this] {
        timer_.reset();
        maintain();
    });
}

void SpoolUpkeep::maintain() {
    before_();
    if (const auto maintained = writer_.maintain(); maintained) {
        trouble_.clear();
    } else {
        note_trouble(maintained.error());
        not_before_ = clock_.monotonic() + retry;
    }
    schedule();
    after_();
}

// Once for each cause. That the spool waits before it tries again is none.
void SpoolUpkeep::note_trouble(const base::Error& error) {
    const bool waits = error.code == spool::SpoolError::holding_off;
    if (trouble_ == error.code || (waits && trouble_))
        return;
    trouble_ = error.code;
    base::log(base::Severity::error, "spool-maintenance-failed", {{"reason", error.message()}});
}

}  // namespace mitral::intake
