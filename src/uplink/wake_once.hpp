// A descriptor whose readiness is reported once, until it is armed again: what may not be read yet
// must not spin the loop. Not thread-safe.
#pragma once

#include <functional>

#include "base/event_loop.hpp"

namespace mitral::uplink {

class WakeOnce {
  public:
    WakeOnce(base::EventLoop& loop, std::function<void()> on_ready);
    ~WakeOnce();
    WakeOnce(const WakeOnce&) = delete;
    WakeOnce& operator=(const WakeOnce&) = delete;

    // The descriptor may be another one than before; negative: none. It stays open until it is
    // replaced or this object is gone.
    void arm(int descriptor);

  private:
    base::EventLoop& loop_;
    std::function<void()> on_ready_;
    int watched_ = -1;
    bool armed_ = false;
};

}  // namespace mitral::uplink
