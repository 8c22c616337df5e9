// A single-threaded epoll loop. Nothing polls: a process without work sleeps until a descriptor or
// a timer wakes it. Not thread-safe; callbacks run on the thread that calls run().
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "base/clock.hpp"
#include "base/result.hpp"

namespace mitral::base {

class EventLoop {
  public:
    // Interest and readiness bits.
    static constexpr std::uint32_t readable = 1;
    static constexpr std::uint32_t writable = 2;
    static constexpr std::uint32_t hung_up = 4;  // reported always, never asked for

    using Handler = std::function<void(std::uint32_t ready)>;
    using TimerHandler = std::function<void()>;
    enum class TimerId : std::uint64_t {};

    [[nodiscard]] static Result<std::unique_ptr<EventLoop>> create();
    EventLoop(const EventLoop&) = delete;
    EventLoop& operator=(const EventLoop&) = delete;
    virtual ~EventLoop() = default;

    // The loop does not own `fd`: unwatch it before closing it. A handler may unwatch any
    // descriptor, its own included.
    [[nodiscard]] virtual Status watch(int fd, std::uint32_t interest, Handler handler) = 0;
    [[nodiscard]] virtual Status modify(int fd, std::uint32_t interest) = 0;
    virtual void unwatch(int fd) noexcept = 0;

    // One shot, on the monotonic clock; a delay of zero runs after the descriptors that are ready
    // now.
    virtual TimerId after(Milliseconds delay, TimerHandler handler) = 0;
    virtual void cancel(TimerId id) noexcept = 0;

    // Until stop(), called from a handler.
    [[nodiscard]] virtual Status run() = 0;
    // One pass; waits at most `wait` (negative: without limit). For tests.
    [[nodiscard]] virtual Status run_once(Milliseconds wait) = 0;
    virtual void stop() noexcept = 0;

    // Calls `handler` on SIGTERM and SIGINT (through a signalfd; call before any thread exists).
    [[nodiscard]] virtual Status on_termination(TimerHandler handler) = 0;

  protected:
    EventLoop() = default;
};

}  // namespace mitral::base
