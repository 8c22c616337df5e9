#include "cloud/faults/script_runner.hpp"

#include <algorithm>
#include <utility>

#include "base/log.hpp"

namespace mitral::cloud::faults {

void ScriptRunner::start(std::vector<Step> steps) {
    stop();
    steps_ = std::move(steps);
    began_ = clock_.monotonic();
    base::log(base::Severity::notice, "fault-script-started",
              {{"steps", static_cast<std::uint64_t>(steps_.size())}});
    arm();
}

void ScriptRunner::stop() {
    if (std::exchange(armed_, false))
        loop_.cancel(timer_);
    steps_.clear();
    next_ = 0;
}

void ScriptRunner::arm() {
    const auto wait = steps_[next_].at - (clock_.monotonic() - began_);
    armed_ = true;
    timer_ = loop_.after(std::max(wait, base::Milliseconds(0)), [this] {
        armed_ = false;
        run_due();
    });
}

void ScriptRunner::run_due() {
    while (next_ < steps_.size() && steps_[next_].at <= clock_.monotonic() - began_)
        take(steps_[next_++]);
    if (next_ < steps_.size())
        return arm();
    base::log(base::Severity::notice, "fault-script-ended",
              {{"steps", static_cast<std::uint64_t>(steps_.size())}});
}

void ScriptRunner::take(const Step& step) {
    if (step.kind == Step::Kind::set)
        (void)faults_.set(step.order);  // a failure stands in the log
    else if (step.kind == Step::Kind::clear)
        faults_.clear(step.order.fault);
    else
        faults_.count(Fault::drop, drop_(step.device));
}

}  // namespace mitral::cloud::faults
