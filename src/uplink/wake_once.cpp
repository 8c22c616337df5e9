#include "uplink/wake_once.hpp"

#include <utility>

namespace mitral::uplink {

WakeOnce::WakeOnce(base::EventLoop& loop, std::function<void()> on_ready)
    : loop_(loop), on_ready_(std::move(on_ready)) {}

WakeOnce::~WakeOnce() {
    if (watched_ >= 0)
        loop_.unwatch(watched_);
}

void WakeOnce::arm(int descriptor) {
    if (armed_ || descriptor < 0)
        return;
    if (watched_ == descriptor) {
        armed_ = loop_.modify(descriptor, base::EventLoop::readable).has_value();
        return;
    }
    if (watched_ >= 0)
        loop_.unwatch(watched_);
    const auto set = loop_.watch(descriptor, base::EventLoop::readable, [this](std::uint32_t) {
        armed_ = false;
        (void)loop_.modify(watched_, 0);  // a watch that stays on costs a wake-up, no more
        const auto call = on_ready_;      // it may destroy this object
        call();
    });
    watched_ = set ? descriptor : -1;
    armed_ = set.has_value();
}

}  // namespace mitral::uplink
