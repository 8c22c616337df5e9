#include "clinical/observation.hpp"

#include <algorithm>
#include <array>

namespace mitral::clinical {
namespace {

constexpr std::array<std::string_view, 7> absent_names{
    "unknown", "not-measured", "sensor-off", "error", "not-a-number", "above-range", "below-range"};

constexpr std::array<std::string_view, 4> device_clock_names{"none", "zone-stated", "zone-assumed",
                                                             "disagrees"};

}  // namespace

std::string_view to_string(Absent reason) noexcept {
    const auto index = static_cast<std::size_t>(reason);
    return index < absent_names.size() ? absent_names[index] : absent_names[0];
}

std::string_view to_string(DeviceClock clock) noexcept {
    const auto index = static_cast<std::size_t>(clock);
    return index < device_clock_names.size() ? device_clock_names[index] : device_clock_names[0];
}

std::optional<Absent> parse_absent(std::string_view text) noexcept {
    const auto found = std::ranges::find(absent_names, text);
    if (found == absent_names.end())
        return std::nullopt;
    return static_cast<Absent>(found - absent_names.begin());
}

}  // namespace mitral::clinical
