// When a device says that something was measured, and how sure that is. No I/O.
#pragma once

#include <optional>
#include <string_view>

#include "base/clock.hpp"
#include "clinical/observation.hpp"
#include "intake/hl7/zone.hpp"

namespace mitral::intake::hl7 {

struct DeviceTime {
    base::WallTime instant;
    clinical::DeviceClock certainty = clinical::DeviceClock::none;
};

// Of an HL7 time: a zone of its own wins, else `zone`. nullopt: not a time to the second, without a
// zone where `zone` is null, one that clocks there never show, or outside what can be written.
[[nodiscard]] std::optional<DeviceTime> read_time(std::string_view text, const Zone* zone,
                                                  base::WallTime received) noexcept;

}  // namespace mitral::intake::hl7
