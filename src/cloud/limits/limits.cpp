#include "cloud/limits/limits.hpp"

#include <fmt/format.h>

#include <charconv>

namespace mitral::cloud::limits {
namespace {

constexpr std::string_view fact_name = "quota-used";  // "DAY USED"
constexpr base::Milliseconds second{1'000};
constexpr base::Milliseconds minute{60'000};
constexpr std::int64_t seconds_of_a_day = 86'400;

struct Used {
    std::int64_t day = 0;
    std::int64_t messages = 0;
};

Used read_used(std::string_view text) {
    Used used;
    const auto* end = text.data() + text.size();
    const auto day = std::from_chars(text.data(), end, used.day);
    if (day.ec != std::errc() || day.ptr == end)
        return {};
    const auto messages = std::from_chars(day.ptr + 1, end, used.messages);
    return messages.ec == std::errc() ? used : Used{};
}

}  // namespace

Limits::Limits(const Figures& figures, store::Database& database, const base::Clock& clock)
    : figures_(figures),
      database_(&database),
      clock_(&clock),
      buckets_{Bucket(1, second),
               Bucket(figures.connects_a_second, second),
               Bucket(figures.sends_a_second, second, send_queue),
               Bucket(figures.devicebound_a_minute, minute),
               Bucket(figures.registry_a_minute, minute),
               Bucket(figures.queries_a_minute, minute),
               Bucket(figures.twin_reads_a_second, second),
               Bucket(figures.twin_updates_a_second, second),
               Bucket(figures.method_bytes_a_second, second)} {}

base::Result<Limits> Limits::open(const Figures& figures, store::Database& database,
                                  const base::Clock& clock) {
    MITRAL_TRY(const auto kept, database.fact(fact_name));
    Limits limits(figures, database, clock);
    const auto used = read_used(kept.value_or(""));
    limits.day_ = limits.today();
    limits.used_ = used.day == limits.day_ ? used.messages : 0;
    return limits;
}

std::int64_t Limits::today() const {
    return clock_->wall().unix_seconds() / seconds_of_a_day;
}

void Limits::turn_the_day() {
    if (const auto now = today(); now != day_) {
        day_ = now;
        used_ = 0;
        unsaved_ = true;
    }
}

std::int64_t Limits::cost_of(std::size_t bytes) const {
    const auto size = std::max<std::int64_t>(1, static_cast<std::int64_t>(bytes));
    return (size + figures_.meter_bytes - 1) / figures_.meter_bytes;
}

void Limits::give_back_message(std::size_t bytes) {
    used_ = std::max<std::int64_t>(0, used_ - cost_of(bytes));
    unsaved_ = true;
}

void Limits::give_back(Limit limit, std::int64_t cost) {
    buckets_[static_cast<std::size_t>(limit)].give_back(cost);
}

bool Limits::take_message(std::size_t bytes) {
    turn_the_day();
    const auto cost = cost_of(bytes);
    if (used_ + cost > figures_.messages_a_day) {
        ++refused_[static_cast<std::size_t>(Limit::daily_quota)];
        return false;
    }
    used_ += cost;
    unsaved_ = true;
    return true;
}

std::optional<base::Milliseconds> Limits::take(Limit limit, std::int64_t cost) {
    const auto wait = buckets_[static_cast<std::size_t>(limit)].take(clock_->monotonic(), cost);
    if (!wait)
        ++refused_[static_cast<std::size_t>(limit)];
    return wait;
}

base::Status Limits::save() {
    if (!unsaved_)
        return {};
    unsaved_ = false;
    return database_->set_fact(fact_name, fmt::format("{} {}", day_, used_));
}

std::int64_t Limits::used() {
    turn_the_day();
    return used_;
}

}  // namespace mitral::cloud::limits
