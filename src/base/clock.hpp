// Time. Wall time is for stamps and tokens; every timer and back-off runs on the monotonic clock.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace mitral::base {

using Milliseconds = std::chrono::milliseconds;
using Seconds = std::chrono::seconds;

// Milliseconds since the Unix epoch (UTC).
struct WallTime {
    std::int64_t ms = 0;
    auto operator<=>(const WallTime&) const = default;
    [[nodiscard]] std::int64_t unix_seconds() const noexcept { return ms / 1000; }
};

// Nanoseconds on CLOCK_MONOTONIC.
struct MonotonicTime {
    std::int64_t ns = 0;
    auto operator<=>(const MonotonicTime&) const = default;
};
[[nodiscard]] constexpr Milliseconds operator-(MonotonicTime later,
                                               MonotonicTime earlier) noexcept {
    return Milliseconds((later.ns - earlier.ns) / 1'000'000);
}
[[nodiscard]] constexpr MonotonicTime operator+(MonotonicTime time, Milliseconds delay) noexcept {
    return {time.ns + delay.count() * 1'000'000};
}

// What the kernel says of the wall clock: `synchronised` when a time service disciplines it
// (adjtimex without STA_UNSYNC), `free_running` otherwise, `implausible` before the build date.
enum class ClockState : std::uint8_t { synchronised = 0, free_running = 1, implausible = 2 };
[[nodiscard]] std::string_view to_string(ClockState state) noexcept;

// Thread-safe. Rooms take a `const Clock&`, tests hand in a ManualClock.
class Clock {
  public:
    virtual ~Clock() = default;
    [[nodiscard]] virtual WallTime wall() const = 0;
    [[nodiscard]] virtual MonotonicTime monotonic() const = 0;
    // Like monotonic(), from another start, and at a rate that nobody sets: a time service may
    // stretch monotonic() by 10 % (adjtimex). For what must not be talked into having waited.
    [[nodiscard]] virtual MonotonicTime unsteered() const = 0;
    [[nodiscard]] virtual ClockState state() const = 0;
};

class SystemClock final : public Clock {
  public:
    [[nodiscard]] WallTime wall() const override;
    [[nodiscard]] MonotonicTime monotonic() const override;
    // CLOCK_MONOTONIC_RAW. It stands still while the machine sleeps: time that is carried on by it
    // is then early, never late. CLOCK_BOOTTIME would count sleep, but is steered.
    [[nodiscard]] MonotonicTime unsteered() const override;
    [[nodiscard]] ClockState state() const override;
};

// Moves only when told to.
class ManualClock final : public Clock {
  public:
    explicit ManualClock(WallTime start) : wall_(start) {}
    [[nodiscard]] WallTime wall() const override { return wall_; }
    [[nodiscard]] MonotonicTime monotonic() const override { return monotonic_; }
    [[nodiscard]] MonotonicTime unsteered() const override { return unsteered_; }
    [[nodiscard]] ClockState state() const override { return state_; }
    void advance(Milliseconds step);
    // A time service hurries the clocks it may steer.
    void steer(Milliseconds ahead);
    void step_wall(WallTime to) { wall_ = to; }
    void set_state(ClockState state) { state_ = state; }

  private:
    WallTime wall_;
    MonotonicTime monotonic_{1'000'000'000};
    MonotonicTime unsteered_{7'000'000'000};
    ClockState state_ = ClockState::synchronised;
};

// "2026-11-22T10:16:12.345Z"
[[nodiscard]] std::string to_iso8601(WallTime time);
// RFC 3339 with 'Z' or a numeric offset; up to 9 fractional digits, kept to the millisecond.
// A time without a zone is refused: it is not an instant.
[[nodiscard]] std::optional<WallTime> from_iso8601(std::string_view text) noexcept;

}  // namespace mitral::base
