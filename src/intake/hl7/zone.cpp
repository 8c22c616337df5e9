#include "intake/hl7/zone.hpp"

#include <date/tz.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <exception>
#include <limits>
#include <string>

#include "base/errors.hpp"

namespace mitral::intake::hl7 {
namespace {

// Monitors older or younger than this do not report to us; before and after, the first and the last
// offset hold.
constexpr date::sys_days first_day = date::year(1990) / 1 / 1;
constexpr date::sys_days last_day = date::year(2100) / 1 / 1;
constexpr std::size_t most_periods = 1000;

constexpr std::int64_t no_begin = std::numeric_limits<std::int64_t>::min();

}  // namespace

base::Result<Zone> Zone::find(std::string_view name) {
    // The library throws at a name it does not know.
    try {
        const auto* zone = date::locate_zone(std::string(name));
        std::vector<Period> periods;
        for (date::sys_seconds at = first_day; at < last_day && periods.size() < most_periods;) {
            const auto info = zone->get_info(at);
            const std::chrono::milliseconds begin = info.begin.time_since_epoch();
            const std::chrono::milliseconds offset = info.offset;
            periods.push_back({periods.empty() ? no_begin : begin.count(), offset.count()});
            if (info.end <= at)
                break;
            at = info.end;
        }
        return Zone(std::move(periods));
    } catch (const std::exception&) {
        return base::fail(
            base::BaseError::invalid_setting,
            fmt::format("no time zone \"{}\": use an IANA name such as \"Europe/Paris\", and have "
                        "the package tzdata installed",
                        name));
    }
}

bool Zone::holds(std::size_t period, std::int64_t instant) const noexcept {
    return instant >= periods_[period].begin_ms &&
           (period + 1 == periods_.size() || instant < periods_[period + 1].begin_ms);
}

std::optional<base::WallTime> Zone::to_instant(base::WallTime digits,
                                               base::WallTime near) const noexcept {
    // Offsets are below a day, so only the periods around the digits can show them.
    constexpr std::int64_t day_ms = 86'400'000;
    const auto after =
        std::ranges::upper_bound(periods_, digits.ms - day_ms, {}, &Period::begin_ms);
    auto period =
        static_cast<std::size_t>(std::max<std::ptrdiff_t>(0, after - periods_.begin() - 1));
    std::optional<base::WallTime> best;
    for (; period < periods_.size(); ++period) {
        if (periods_[period].begin_ms > digits.ms + day_ms)
            break;
        const base::WallTime instant{digits.ms - periods_[period].offset_ms};
        const auto distance = [&](base::WallTime time) { return std::abs(time.ms - near.ms); };
        if (holds(period, instant.ms) && (!best || distance(instant) < distance(*best)))
            best = instant;
    }
    return best;
}

}  // namespace mitral::intake::hl7
