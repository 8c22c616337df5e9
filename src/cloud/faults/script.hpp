// Scripted faults: steps with times, one JSON object a line (docs/local-azure.md, "Scripts").
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "cloud/faults/catalogue.hpp"

namespace mitral::cloud::faults {

struct Step {
    enum class Kind : std::uint8_t { set, clear, drop };
    base::Milliseconds at{0};  // from the script's start
    Kind kind = Kind::set;
    Order order{};       // of set; of clear only its fault
    std::string device;  // of drop; "*": all
};

inline constexpr std::size_t longest_script = 1024 * 1024;  // bytes
inline constexpr std::size_t most_steps = 1'000;

// Checked as a whole, in the order of their times. Chance (within_s, and the seed of a fault that
// names none) comes from the script's own seed. Error: invalid_argument, with the line's number.
[[nodiscard]] base::Result<std::vector<Step>> read_script(std::string_view text);

}  // namespace mitral::cloud::faults
