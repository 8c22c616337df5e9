#pragma once

#include <cstdint>

namespace mitral::cloud::faults {

// Chance that a seed repeats, on every machine alike (SplitMix64, Steele et al. 2014).
class Dice {
  public:
    explicit Dice(std::uint64_t seed) noexcept : state_(seed) {}
    [[nodiscard]] std::uint64_t roll() noexcept {
        auto z = (state_ += 0x9e3779b97f4a7c15U);
        z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9U;
        z = (z ^ (z >> 27U)) * 0x94d049bb133111ebU;
        return z ^ (z >> 31U);
    }
    // Precondition: sides > 0. The bias is below 2^-32 for the few sides asked for here.
    [[nodiscard]] std::uint64_t below(std::uint64_t sides) noexcept { return roll() % sides; }
    [[nodiscard]] bool falls(std::int64_t percent) noexcept {
        return below(100) < static_cast<std::uint64_t>(percent);
    }

  private:
    std::uint64_t state_;
};

}  // namespace mitral::cloud::faults
