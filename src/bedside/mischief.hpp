// What goes wrong on a monitor's side of the wire, on demand and repeatably: the same seed gives
// the same faults.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"

namespace mitral::bedside {

enum class Fault : std::uint8_t {
    none,
    resend,   // the message a second time, same MSH-10
    split,    // in pieces, cut anywhere
    several,  // more frames in one write, beyond the window
    junk,     // bytes before the frame
    tail,     // the other end: with or without CR before 1C
    silence,  // nothing for a while
    half,     // half a frame, then a new connection
    slow,     // a few bytes at a time
    flood,    // many messages without waiting for answers
};
[[nodiscard]] base::Result<std::vector<Fault>> parse_faults(const std::vector<std::string>& names);

// What goes out in one write, what to wait afterwards, and whether the connection ends there.
struct Step {
    std::string bytes;
    base::Milliseconds pause{0};
    bool hang_up = false;
};

class Mischief {
  public:
    Mischief(std::vector<Fault> faults, int percent, std::uint64_t seed)
        : faults_(std::move(faults)), percent_(percent), chance_(seed) {}

    // What befalls the next message.
    [[nodiscard]] Fault draw();
    // How many messages go out at once (several, flood); 1 for every other fault.
    [[nodiscard]] int burst(Fault fault);
    // The writes for one message. Joined in order they hold it whole, unless the last hangs up.
    [[nodiscard]] std::vector<Step> steps(const std::string& message, Fault fault);

  private:
    [[nodiscard]] std::size_t below(std::size_t bound) { return chance_() % bound; }
    [[nodiscard]] std::string junk();
    [[nodiscard]] std::vector<Step> pieces(const std::string& frame, std::size_t largest);

    std::vector<Fault> faults_;
    int percent_;
    std::mt19937_64 chance_;
};

}  // namespace mitral::bedside
