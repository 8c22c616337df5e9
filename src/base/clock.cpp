#include "base/clock.hpp"

#include <fmt/format.h>
#include <sys/timex.h>

#include <algorithm>
#include <ctime>

namespace mitral::base {
namespace {

// A wall clock before this is a dead battery, not a date (2024-01-01T00:00:00Z).
constexpr std::int64_t earliest_plausible_ms = 1'704'067'200'000;

// 0000-01-01T00:00:00.000Z and 9999-12-31T23:59:59.999Z.
constexpr std::int64_t earliest_printable_ms = -62'167'219'200'000;
constexpr std::int64_t latest_printable_ms = 253'402'300'799'999;

// Days since 1970-01-01 of a proleptic Gregorian date, by counting eras of 400 years from March.
constexpr std::int64_t days_from_civil(std::int64_t year, unsigned month, unsigned day) {
    year -= month <= 2 ? 1 : 0;
    const std::int64_t era = (year >= 0 ? year : year - 399) / 400;
    const auto year_of_era = static_cast<unsigned>(year - era * 400);
    const unsigned day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    const unsigned day_of_era =
        year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146'097 + static_cast<std::int64_t>(day_of_era) - 719'468;
}

unsigned days_in_month(std::int64_t year, unsigned month) {
    constexpr unsigned days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return month == 2 && leap ? 29 : days[month - 1];
}

class DigitScanner {
  public:
    explicit DigitScanner(std::string_view text) : text_(text) {}

    std::optional<unsigned> digits(std::size_t count) {
        if (text_.size() < count)
            return std::nullopt;
        unsigned value = 0;
        for (std::size_t i = 0; i < count; ++i) {
            if (text_[i] < '0' || text_[i] > '9')
                return std::nullopt;
            value = value * 10 + static_cast<unsigned>(text_[i] - '0');
        }
        text_.remove_prefix(count);
        return value;
    }
    bool accept(char c) {
        if (text_.empty() || text_.front() != c)
            return false;
        text_.remove_prefix(1);
        return true;
    }
    bool accept_either(char a, char b) { return accept(a) || accept(b); }
    // ".123456789" to milliseconds; absent is zero.
    std::optional<unsigned> fraction_ms() {
        if (!accept('.'))
            return 0U;
        unsigned value = 0;
        unsigned count = 0;
        while (const auto digit = digits(1)) {
            if (count < 3)
                value = value * 10 + *digit;
            if (++count > 9)
                return std::nullopt;
        }
        if (count == 0)
            return std::nullopt;
        for (; count < 3; ++count)
            value *= 10;
        return value;
    }
    // Minutes east of UTC.
    std::optional<int> zone() {
        if (accept_either('Z', 'z'))
            return 0;
        const bool west = accept('-');
        if (!west && !accept('+'))
            return std::nullopt;
        const auto hours = digits(2);
        if (!hours || !accept(':'))
            return std::nullopt;
        const auto minutes = digits(2);
        if (!minutes || *hours > 23 || *minutes > 59)
            return std::nullopt;
        const int offset = static_cast<int>(*hours * 60 + *minutes);
        return west ? -offset : offset;
    }
    [[nodiscard]] bool done() const { return text_.empty(); }

  private:
    std::string_view text_;
};

std::optional<std::int64_t> scan_date_ms(DigitScanner& scan) {
    const auto year = scan.digits(4);
    if (!year || !scan.accept('-'))
        return std::nullopt;
    const auto month = scan.digits(2);
    if (!month || !scan.accept('-') || *month < 1 || *month > 12)
        return std::nullopt;
    const auto day = scan.digits(2);
    if (!day || *day < 1 || *day > days_in_month(*year, *month))
        return std::nullopt;
    return days_from_civil(*year, *month, *day) * 86'400'000;
}

std::optional<std::int64_t> scan_time_of_day_ms(DigitScanner& scan) {
    const auto hour = scan.digits(2);
    if (!hour || !scan.accept(':') || *hour > 23)
        return std::nullopt;
    const auto minute = scan.digits(2);
    if (!minute || !scan.accept(':') || *minute > 59)
        return std::nullopt;
    const auto second = scan.digits(2);
    if (!second || *second > 59)
        return std::nullopt;
    const auto fraction = scan.fraction_ms();
    if (!fraction)
        return std::nullopt;
    return static_cast<std::int64_t>((*hour * 60 + *minute) * 60 + *second) * 1000 + *fraction;
}

std::int64_t read_clock_ns(clockid_t id) {
    timespec now{};
    (void)clock_gettime(id, &now);  // cannot fail for the clocks asked for
    return static_cast<std::int64_t>(now.tv_sec) * 1'000'000'000 + now.tv_nsec;
}

}  // namespace

std::string_view to_string(ClockState state) noexcept {
    switch (state) {
        case ClockState::synchronised:
            return "synchronised";
        case ClockState::free_running:
            return "free-running";
        case ClockState::implausible:
            return "implausible";
    }
    return "unknown";
}

WallTime SystemClock::wall() const {
    return {read_clock_ns(CLOCK_REALTIME) / 1'000'000};
}

MonotonicTime SystemClock::monotonic() const {
    return {read_clock_ns(CLOCK_MONOTONIC)};
}

MonotonicTime SystemClock::unsteered() const {
    return {read_clock_ns(CLOCK_MONOTONIC_RAW)};
}

ClockState SystemClock::state() const {
    if (wall().ms < earliest_plausible_ms)
        return ClockState::implausible;
    timex status{};
    return adjtimex(&status) != -1 && (status.status & STA_UNSYNC) == 0 ? ClockState::synchronised
                                                                        : ClockState::free_running;
}

void ManualClock::advance(Milliseconds step) {
    wall_.ms += step.count();
    monotonic_ = monotonic_ + step;
    unsteered_ = unsteered_ + step;
}

void ManualClock::steer(Milliseconds ahead) {
    wall_.ms += ahead.count();
    monotonic_ = monotonic_ + ahead;
}

std::string to_iso8601(WallTime time) {
    // Four digits of year are all the format has; a hostile time beyond them is cut to the last
    // one.
    const std::int64_t ms = std::clamp(time.ms, earliest_printable_ms, latest_printable_ms);
    const auto seconds = static_cast<std::time_t>(ms >= 0 ? ms / 1000 : (ms - 999) / 1000);
    std::tm parts{};
    (void)gmtime_r(&seconds, &parts);  // within the years it knows
    return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", parts.tm_year + 1900,
                       parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
                       ms - static_cast<std::int64_t>(seconds) * 1000);
}

std::optional<WallTime> from_iso8601(std::string_view text) noexcept {
    DigitScanner scan(text);
    const auto date = scan_date_ms(scan);
    if (!date || !scan.accept_either('T', 't'))
        return std::nullopt;
    const auto time = scan_time_of_day_ms(scan);
    if (!time)
        return std::nullopt;
    const auto zone = scan.zone();
    if (!zone || !scan.done())
        return std::nullopt;
    return WallTime{*date + *time - static_cast<std::int64_t>(*zone) * 60'000};
}

}  // namespace mitral::base
