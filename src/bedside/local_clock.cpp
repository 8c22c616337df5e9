#include "bedside/local_clock.hpp"

#include <date/tz.h>
#include <fmt/format.h>

#include <ctime>

#include "base/errors.hpp"

namespace mitral::bedside {

struct LocalClock::State {
    const date::time_zone* zone = nullptr;
    // The offset holds from `begin` to before `end`; looking it up costs more than a message.
    std::chrono::seconds begin{0};
    std::chrono::seconds end{0};
    std::chrono::seconds offset{0};

    [[nodiscard]] std::chrono::seconds offset_at(std::chrono::seconds utc) {
        if (utc < begin || utc >= end) {
            const auto info = zone->get_info(date::sys_seconds(utc));
            begin = info.begin.time_since_epoch();
            end = info.end.time_since_epoch();
            offset = info.offset;
        }
        return offset;
    }
};

LocalClock::LocalClock(std::unique_ptr<State> state) noexcept : state_(std::move(state)) {}
LocalClock::LocalClock(LocalClock&&) noexcept = default;
LocalClock& LocalClock::operator=(LocalClock&&) noexcept = default;
LocalClock::~LocalClock() = default;

base::Result<LocalClock> LocalClock::in(const std::string& zone) {
    auto state = std::make_unique<State>();
    try {
        state->zone = date::locate_zone(zone.empty() ? "Etc/UTC" : zone);
    } catch (const std::exception&) {
        return base::fail(base::BaseError::invalid_setting,
                          "zone '" + zone + "' is not in the machine's time zone database");
    }
    return LocalClock(std::move(state));
}

std::string LocalClock::text(base::WallTime time, bool milliseconds, bool zone) {
    const auto offset = state_->offset_at(std::chrono::seconds(time.unix_seconds()));
    const std::time_t shown = time.unix_seconds() + offset.count();
    std::tm parts{};
    gmtime_r(&shown, &parts);
    auto text =
        fmt::format("{:04}{:02}{:02}{:02}{:02}{:02}", parts.tm_year + 1900, parts.tm_mon + 1,
                    parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec);
    if (milliseconds)
        text += fmt::format(".{:03}", time.ms % 1000);
    if (zone) {
        const auto minutes = std::abs(offset.count()) / 60;
        text +=
            fmt::format("{}{:02}{:02}", offset.count() < 0 ? '-' : '+', minutes / 60, minutes % 60);
    }
    return text;
}

}  // namespace mitral::bedside
