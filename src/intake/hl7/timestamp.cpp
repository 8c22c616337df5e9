#include "intake/hl7/timestamp.hpp"

#include <algorithm>
#include <chrono>

namespace mitral::intake::hl7 {
namespace {

bool is_digit(char c) noexcept {
    return c >= '0' && c <= '9';
}

// Takes exactly `count` digits off the front.
std::optional<int> take_number(std::string_view& rest, std::size_t count) noexcept {
    if (rest.size() < count ||
        !std::all_of(rest.begin(), rest.begin() + static_cast<std::ptrdiff_t>(count), is_digit))
        return std::nullopt;
    int number = 0;
    for (const char digit : rest.substr(0, count))
        number = number * 10 + (digit - '0');
    rest.remove_prefix(count);
    return number;
}

std::optional<int> take_milliseconds(std::string_view& rest) noexcept {
    if (!rest.starts_with('.'))
        return 0;
    rest.remove_prefix(1);
    const auto digits =
        static_cast<std::size_t>(std::ranges::find_if_not(rest, is_digit) - rest.begin());
    if (digits == 0 || digits > 6)
        return std::nullopt;
    int milliseconds = 0;
    for (std::size_t i = 0; i < 3; ++i)
        milliseconds = milliseconds * 10 + (i < digits ? rest[i] - '0' : 0);
    rest.remove_prefix(digits);
    return milliseconds;
}

std::optional<int> take_zone(std::string_view rest) noexcept {
    const bool east = rest.starts_with('+');
    rest.remove_prefix(1);
    const auto hours = take_number(rest, 2);
    const auto minutes = take_number(rest, 2);
    if (!hours || !minutes || !rest.empty() || *hours > 14 || *minutes > 59)
        return std::nullopt;
    const int zone = *hours * 60 + *minutes;
    return east ? zone : -zone;
}

}  // namespace

std::optional<Timestamp> parse_timestamp(std::string_view text) noexcept {
    const auto year = take_number(text, 4);
    const auto month = take_number(text, 2);
    const auto day = take_number(text, 2);
    const auto hour = take_number(text, 2);
    const auto minute = take_number(text, 2);
    const auto second = take_number(text, 2);
    if (!year || !month || !day || !hour || !minute || !second)
        return std::nullopt;
    const auto milliseconds = take_milliseconds(text);
    const std::chrono::year_month_day date{std::chrono::year(*year),
                                           std::chrono::month(static_cast<unsigned>(*month)),
                                           std::chrono::day(static_cast<unsigned>(*day))};
    if (!milliseconds || !date.ok() || *hour > 23 || *minute > 59 || *second > 59)
        return std::nullopt;
    Timestamp stamp;
    const std::chrono::sys_days days = date;
    stamp.if_utc.ms = std::int64_t{days.time_since_epoch().count()} * 86'400'000 +
                      *hour * 3'600'000LL + *minute * 60'000LL + *second * 1'000LL + *milliseconds;
    if (text.empty())
        return stamp;
    if (text.front() != '+' && text.front() != '-')
        return std::nullopt;
    stamp.zone_min = take_zone(text);
    return stamp.zone_min ? std::optional(stamp) : std::nullopt;
}

}  // namespace mitral::intake::hl7
