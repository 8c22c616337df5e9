// Calls the spool's maintenance when it is due, and says once what keeps it from working.
#pragma once

#include <functional>
#include <optional>
#include <system_error>

#include "base/clock.hpp"
#include "base/event_loop.hpp"
#include "base/result.hpp"
#include "spool/writer.hpp"

namespace mitral::intake {

// Not thread-safe; lives on the loop's thread.
class SpoolUpkeep {
  public:
    static constexpr base::Milliseconds retry{1000};  // a broken disk must not use up the processor

    // `before` commits what is open, because maintenance may close a segment; `after` follows.
    SpoolUpkeep(base::EventLoop& loop, spool::Writer& writer, const base::Clock& clock,
                std::function<void()> before, std::function<void()> after);
    ~SpoolUpkeep();
    SpoolUpkeep(const SpoolUpkeep&) = delete;
    SpoolUpkeep& operator=(const SpoolUpkeep&) = delete;

    // After each commit: when maintenance is due may have changed.
    void schedule();

  private:
    void maintain();
    void note_trouble(const base::Error& error);

    base::EventLoop& loop_;
    spool::Writer& writer_;
    const base::Clock& clock_;
    std::function<void()> before_;
    std::function<void()> after_;
    std::optional<base::EventLoop::TimerId> timer_;
    base::MonotonicTime not_before_;
    std::error_code trouble_;  // what was logged last; none: it works
};

}  // namespace mitral::intake
