// The wall clock of a place: which instant a monitor means whose times do not say their zone. The
// system's zone database (tzdata) is read once, when the zone is made; afterwards there is no I/O.
#pragma once

#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"

namespace mitral::intake::hl7 {

class Zone {
  public:
    // By its IANA name, "Europe/Paris". Error: no such zone, or no zone database.
    [[nodiscard]] static base::Result<Zone> find(std::string_view name);

    // The instant at which clocks there show `digits` (read as if they were UTC). In the hour that
    // passes twice the one nearer to `near`. nullopt: clocks there never show it, because they were
    // put forward.
    [[nodiscard]] std::optional<base::WallTime> to_instant(base::WallTime digits,
                                                           base::WallTime near) const noexcept;

  private:
    struct Period {
        std::int64_t begin_ms;  // an instant; the period ends where the next one begins
        std::int64_t offset_ms;
    };
    explicit Zone(std::vector<Period> periods) noexcept : periods_(std::move(periods)) {}

    [[nodiscard]] bool holds(std::size_t period, std::int64_t instant) const noexcept;

    std::vector<Period> periods_;  // by begin, never empty
};

}  // namespace mitral::intake::hl7
