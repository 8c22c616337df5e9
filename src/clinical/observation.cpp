#include "clinical/observation.hpp"

#include <algorithm>
#include <array>

namespace mitral::clinical {
namespace {

constexpr std::array<std::string_view, 7> absent_names{
    "unknown", "not-measured", "sensor-off", "error", "not-a-number", "above-range", "below-range"};

}  // namespace

std::string_view to_string(Absent reason) noexcept {
    const auto index = static_cast<std::size_t>(reason);
    return index < absent_names.size() ? absent_names[index] : absent_names[0];
}

std::optional<Absent> parse_absent(std::string_view text) noexcept {
    const auto found = std::ranges::find(absent_names, text);
    if (found == absent_names.end())
        return std::nullopt;
    return static_cast<Absent>(found - absent_names.begin());
}

}  // namespace mitral::clinical
