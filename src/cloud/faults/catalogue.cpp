#include "cloud/faults/catalogue.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "azure/ids.hpp"
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
constexpr std::array error_code{NumberParameter{"error_code", 400'000, 599'999, 400'207}};
constexpr std::array retry_after{NumberParameter{"retry_after", 1, 3'600, 5}};

constexpr std::array up_and_down{
    NumberParameter{"up_ms", 0, 60'000, 0},    // from the client
    NumberParameter{"down_ms", 0, 60'000, 0},  // to it
};
constexpr std::int64_t largest_seed = 9'007'199'254'740'991;  // exact in every reader of JSON
constexpr std::array share{
    NumberParameter{"percent", 1, 100, 100},
    NumberParameter{"seed", 0, largest_seed, 1},
};
constexpr std::int64_t ten_years_s = 10LL * 366 * 86'400;
constexpr std::array clock_offset{
    NumberParameter{"offset_s", -ten_years_s, ten_years_s, std::nullopt}};
constexpr std::array rollover{
    NumberParameter{"cut", 0, 1, 1},    // the connections there are, at both ends of the fault
    NumberParameter{"fresh", 0, 1, 0},  // a root that nobody has seen
};

using Kind = TextParameter::Kind;
constexpr std::array<std::string_view, 4> ports{"all", "mqtt", "https", "amqp"};
constexpr std::array<std::string_view, 2> losses{"puback", "message"};
constexpr std::array<std::string_view, 8> malformations{
    "any", "connack", "packet-id", "truncated", "twin-json", "http-json", "http-html", "http-cut"};
constexpr std::array to_hub{TextParameter{"hub", Kind::host, std::nullopt}};
constexpr std::array one_device{TextParameter{"device", Kind::device, ""}};
constexpr std::array which_port{TextParameter{"port", Kind::choice, "all", ports}};
constexpr std::array what_is_lost{TextParameter{"of", Kind::choice, "puback", losses}};
constexpr std::array what_breaks{TextParameter{"kind", Kind::choice, "any", malformations}};

constexpr std::array<Entry, fault_count> entries{{
    {Fault::hub_away, "hub-away", false, {}},
    {Fault::drop, "drop", false, {}},
    {Fault::throttle_connects, "throttle-connects", true, {}},
    {Fault::throttle_telemetry, "throttle-telemetry", true, telemetry_rate},
    {Fault::daily_quota, "daily-quota", true, {}},
    {Fault::slow_puback, "slow-puback", true, puback_delay},
    {Fault::silent_hub, "silent-hub", false, {}},
    {Fault::expired_tokens, "expired-tokens", true, {}, one_device},
    {Fault::dps_unreachable, "dps-unreachable", true, {}},
    {Fault::dps_throttled, "dps-throttled", true, retry_after},
    {Fault::dps_assigning, "dps-assigning", true, {}},
    {Fault::dps_failed, "dps-failed", true, error_code},
    {Fault::dps_reassigning, "dps-reassigning", true, {}, to_hub},
    {Fault::hub_failover, "hub-failover", false, {}, to_hub},
    {Fault::half_open, "half-open", false, {}, one_device},
    {Fault::latency, "latency", false, up_and_down, which_port},
    {Fault::loss, "loss", true, share, what_is_lost},
    {Fault::clock_off, "clock-off", false, clock_offset},
    {Fault::certificate_rollover, "certificate-rollover", false, rollover},
    {Fault::malformed, "malformed", true, share, what_breaks},
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
    for (const auto& text : entry.texts)
        names.append(", ").append(text.name);
    for (const auto& number : entry.numbers)
        names.append(", ").append(number.name);
    return names;
}

std::string what_it_may_be(const TextParameter& text) {
    if (text.kind == Kind::host)
        return "a host name, with or without :port";
    if (text.kind == Kind::device)
        return "a device id";
    return fmt::format("one of {}", fmt::join(text.choices, ", "));
}

base::Result<std::string> read_text(const TextParameter& text, const std::string& value) {
    const bool good = text.kind == Kind::host ? is_host(value)
                      : text.kind == Kind::device
                          ? azure::check_device_id(value).has_value()
                          : std::ranges::count(text.choices, std::string_view(value)) > 0;
    if (!good)
        return refused(fmt::format("{} is {}", text.name, what_it_may_be(text)));
    return value;
}

// What the single parameters do not show.
base::Status check_whole(const Order& order) {
    if (order.fault == Fault::latency && order.number("up_ms") + order.number("down_ms") == 0)
        return refused("up_ms and down_ms are missing: one of them is needed");
    return {};
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
    for (const auto& text : entry.texts)
        if (text.name == name) {
            MITRAL_TRY(order.texts[name], read_text(text, value));
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

std::string_view Order::text(std::string_view name) const {
    const auto found = texts.find(name);
    return found == texts.end() ? std::string_view() : found->second;
}

base::Result<Order> read_order(std::string_view name,
                               const std::map<std::string, std::string>& parameters) {
    MITRAL_TRY(const auto fault, find_fault(name));
    const auto& entry = entry_of(fault);
    Order order{.fault = fault};
    for (const auto& [parameter, value] : parameters)
        MITRAL_CHECK(take(order, entry, parameter, value));
    for (const auto& text : entry.texts) {
        if (order.texts.contains(text.name))
            continue;
        if (!text.fallback)
            return refused(fmt::format("{} is missing: {}", text.name, what_it_may_be(text)));
        if (!text.fallback->empty())
            order.texts[std::string(text.name)] = *text.fallback;
    }
    for (const auto& number : entry.numbers) {
        const std::string key(number.name);
        if (order.numbers.contains(key))
            continue;
        if (!number.fallback)
            return refused(fmt::format("{} is missing: a whole number from {} to {}", key,
                                       number.minimum, number.maximum));
        order.numbers[key] = *number.fallback;
    }
    MITRAL_CHECK(check_whole(order));
    return order;
}

}  // namespace mitral::cloud::faults
