#include "cloud/faults/catalogue.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "cloud/error.hpp"

namespace mitral::cloud::faults {
namespace {

constexpr std::int64_t most_strikes = 1'000'000'000;
constexpr std::size_t longest_host = 260;

constexpr std::array telemetry_rate{
    NumberParameter{"per_second", 1, 1'000'000, 10},  // of the whole hub
    NumberParameter{"queue_ms", 0, 600'000, 1'000},   // what would wait longer is thrown out
};
constexpr std::array puback_delay{NumberParameter{"delay_ms", 1, 600'000, std::nullopt}};
constexpr std::array retry_after{NumberParameter{"retry_after", 1, 3'600, 5}};

constexpr std::array<Entry, fault_count> entries{{
    {Fault::hub_away, "hub-away", false, false, {}},
    {Fault::drop, "drop", false, false, {}},
    {Fault::throttle_connects, "throttle-connects", true, false, {}},
    {Fault::throttle_telemetry, "throttle-telemetry", true, false, telemetry_rate},
    {Fault::daily_quota, "daily-quota", true, false, {}},
    {Fault::slow_puback, "slow-puback", true, false, puback_delay},
    {Fault::silent_hub, "silent-hub", false, false, {}},
    {Fault::expired_tokens, "expired-tokens", true, false, {}},
    {Fault::dps_unreachable, "dps-unreachable", true, false, {}},
    {Fault::dps_throttled, "dps-throttled", true, false, retry_after},
    {Fault::dps_reassigning, "dps-reassigning", true, true, {}},
}};

auto refused(std::string text) {
    return base::fail(CloudError::invalid_argument, std::move(text));
}

base::Result<std::int64_t> read_number(std::string_view name, std::string_view text,
                                       std::int64_t minimum, std::int64_t maximum) {
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || value < minimum ||
        value > maximum)
        return refused(fmt::format("{} is a whole number from {} to {}", name, minimum, maximum));
    return value;
}

bool is_host(std::string_view text) {
    constexpr std::string_view allowed =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:";
    return !text.empty() && text.size() <= longest_host &&
           text.find_first_not_of(allowed) == std::string_view::npos;
}

std::string known_parameters(const Entry& entry) {
    std::string names = "seconds";
    if (entry.counted)
        names += ", count";
    if (entry.names_hub)
        names += ", hub";
    for (const auto& number : entry.numbers)
        names.append(", ").append(number.name);
    return names;
}

base::Status take(Order& order, const Entry& entry, const std::string& name,
                  const std::string& value) {
    if (name == "seconds") {
        MITRAL_TRY(const auto seconds, read_number(name, value, 1, longest_fault.count()));
        order.duration = base::Seconds(seconds);
        return {};
    }
    if (name == "count" && entry.counted) {
        MITRAL_TRY(const auto count, read_number(name, value, 1, most_strikes));
        order.count = static_cast<std::uint64_t>(count);
        return {};
    }
    if (name == "hub" && entry.names_hub) {
        if (!is_host(value))
            return refused("hub is a host name, with or without :port");
        order.hub = value;
        return {};
    }
    for (const auto& number : entry.numbers)
        if (number.name == name) {
            MITRAL_TRY(order.numbers[name],
                       read_number(name, value, number.minimum, number.maximum));
            return {};
        }
    return refused(fmt::format("{} takes {}", entry.name, known_parameters(entry)));
}

}  // namespace

std::span<const Entry, fault_count> catalogue() noexcept {
    return entries;
}

const Entry& entry_of(Fault fault) noexcept {
    return entries[static_cast<std::size_t>(fault)];
}

base::Result<Fault> find_fault(std::string_view name) {
    const auto* const found = std::ranges::find(entries, name, &Entry::name);
    if (found == entries.end())
        return base::fail(CloudError::not_found, "no fault has this name; GET /faults lists them");
    return found->fault;
}

std::int64_t Order::number(std::string_view name) const {
    const auto found = numbers.find(name);
    return found == numbers.end() ? 0 : found->second;
}

base::Result<Order> read_order(std::string_view name,
                               const std::map<std::string, std::string>& parameters) {
    MITRAL_TRY(const auto fault, find_fault(name));
    const auto& entry = entry_of(fault);
    Order order{.fault = fault};
    for (const auto& [parameter, value] : parameters)
        MITRAL_CHECK(take(order, entry, parameter, value));
    if (entry.names_hub && order.hub.empty())
        return refused("hub is missing: the host name to assign, with or without :port");
    for (const auto& number : entry.numbers) {
        const std::string key(number.name);
        if (order.numbers.contains(key))
            continue;
        if (!number.fallback)
            return refused(fmt::format("{} is missing: a whole number from {} to {}", key,
                                       number.minimum, number.maximum));
        order.numbers[key] = *number.fallback;
    }
    return order;
}

}  // namespace mitral::cloud::faults
