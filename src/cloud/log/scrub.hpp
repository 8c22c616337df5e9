#pragma once

#include <optional>

#include "base/event_loop.hpp"
#include "cloud/log/tail.hpp"

namespace mitral::cloud::log {

// Reads the log once from its beginning, a piece at a time between other work, so that damage in
// segments that lay there at the start is told before anybody asks for them.
class Scrub {
  public:
    // `log` outlives it.
    Scrub(base::EventLoop& loop, const MessageLog& log) : loop_(loop), tail_(log, 0) { go_on(); }
    Scrub(const Scrub&) = delete;
    Scrub& operator=(const Scrub&) = delete;
    ~Scrub();

    [[nodiscard]] bool done() const noexcept { return !timer_.has_value(); }

  private:
    void go_on();
    void step();

    base::EventLoop& loop_;
    Tail tail_;
    std::optional<base::EventLoop::TimerId> timer_{};
};

}  // namespace mitral::cloud::log
