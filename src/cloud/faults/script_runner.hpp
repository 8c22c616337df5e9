#pragma once

#include "cloud/faults.hpp"
#include "cloud/faults/script.hpp"

namespace mitral::cloud::faults {

// Runs one script at a time on the loop. What a script put on stays on when it ends or is stopped.
class ScriptRunner {
  public:
    // Ends connections of a device ("*": of all); returns how many.
    using Drop = std::function<std::size_t(const std::string& device)>;

    ScriptRunner(base::EventLoop& loop, const base::Clock& clock, Faults& faults, Drop drop)
        : loop_(loop), clock_(clock), faults_(faults), drop_(std::move(drop)) {}
    ScriptRunner(const ScriptRunner&) = delete;
    ScriptRunner& operator=(const ScriptRunner&) = delete;
    ~ScriptRunner() { stop(); }

    // In place of one that runs.
    void start(std::vector<Step> steps);
    void stop();
    [[nodiscard]] std::size_t left() const noexcept { return steps_.size() - next_; }

  private:
    void arm();
    void run_due();
    void take(const Step& step);

    base::EventLoop& loop_;
    const base::Clock& clock_;
    Faults& faults_;
    Drop drop_;
    std::vector<Step> steps_;
    std::size_t next_ = 0;
    base::MonotonicTime began_{};
    bool armed_ = false;
    base::EventLoop::TimerId timer_{};
};

}  // namespace mitral::cloud::faults
