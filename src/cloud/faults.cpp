#include "cloud/faults.hpp"

#include "base/log.hpp"

namespace mitral::cloud {

Faults::~Faults() {
    if (away_)
        loop_.cancel(timer_);
}

std::size_t Faults::hub_away(base::Seconds duration) {
    if (away_)
        loop_.cancel(timer_);
    if (duration <= base::Seconds(0)) {
        if (away_)
            back();
        return 0;
    }
    away_ = true;
    if (listener_ != nullptr)
        listener_->refuse_all(true);
    timer_ = loop_.after(duration, [this] { back(); });
    const auto dropped = roster_.drop_all("fault: hub away");
    base::log(base::Severity::notice, "fault-hub-away",
              {{"seconds", duration.count()}, {"dropped", dropped}});
    return dropped;
}

void Faults::back() {
    away_ = false;
    if (listener_ != nullptr)
        listener_->refuse_all(false);
    base::log(base::Severity::notice, "fault-hub-back");
}

}  // namespace mitral::cloud
