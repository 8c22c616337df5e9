#pragma once

#include <functional>
#include <utility>
#include <vector>

namespace mitral::cloud::log {

// Wakes everyone who waits for new messages, once.
class Broadcast {
  public:
    void wait(std::function<void()> wake) { waiting_.push_back(std::move(wake)); }
    void notify() {
        for (const auto& wake : std::exchange(waiting_, {}))
            wake();
    }

  private:
    std::vector<std::function<void()>> waiting_;
};

}  // namespace mitral::cloud::log
