// Latencies in buckets that are 1/64 of their value wide: any number of them in little memory.
#pragma once

#include <array>
#include <cstdint>

namespace mitral::bedside {

class Latencies {
  public:
    void add(std::int64_t microseconds) noexcept;
    [[nodiscard]] std::uint64_t count() const noexcept { return count_; }
    // In milliseconds, at most 1.6 % too high; 0 without any.
    [[nodiscard]] double percentile(double share) const noexcept;
    [[nodiscard]] double max() const noexcept { return static_cast<double>(max_) / 1000; }

  private:
    static constexpr int fine_bits = 6;
    static constexpr std::size_t buckets = (40U - fine_bits) << fine_bits;
    std::array<std::uint64_t, buckets> tally_{};
    std::uint64_t count_ = 0;
    std::uint64_t max_ = 0;
};

}  // namespace mitral::bedside
