#pragma once

#include <cstdint>
#include <map>
#include <string_view>

namespace mitral::cloud::log {

// Messages that were acknowledged and cannot be read any more. Each is told in the server's log
// once, whoever comes upon it how often.
class Damage {
  public:
    static constexpr std::size_t most_gaps = 10'000;  // remembered; what comes then is only counted

    // Offsets from `first` to before `end` have no line that is whole.
    void note(std::uint64_t first, std::uint64_t end, std::string_view segment);
    [[nodiscard]] std::uint64_t missing() const noexcept { return missing_; }

  private:
    [[nodiscard]] bool covers(std::uint64_t first, std::uint64_t end) const;

    std::map<std::uint64_t, std::uint64_t> gaps_;  // first, end; apart from each other
    std::uint64_t missing_ = 0;
};

}  // namespace mitral::cloud::log
