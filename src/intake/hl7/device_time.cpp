#include "intake/hl7/device_time.hpp"

#include "clinical/record.hpp"
#include "intake/hl7/timestamp.hpp"

namespace mitral::intake::hl7 {

std::optional<DeviceTime> read_time(std::string_view text, const Zone* zone,
                                    base::WallTime received) noexcept {
    const auto stamp = parse_timestamp(text);
    if (!stamp)
        return std::nullopt;
    DeviceTime time;
    if (stamp->zone_min) {
        time = {stamp->at_zone(0), clinical::DeviceClock::zone_stated};
    } else {
        const auto instant =
            zone != nullptr ? zone->to_instant(stamp->if_utc, received) : std::nullopt;
        if (!instant)
            return std::nullopt;
        time = {*instant, clinical::DeviceClock::zone_assumed};
    }
    const bool writable =
        time.instant >= clinical::earliest_time && time.instant <= clinical::latest_time;
    return writable ? std::optional(time) : std::nullopt;
}

}  // namespace mitral::intake::hl7
