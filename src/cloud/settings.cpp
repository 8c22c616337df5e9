#include "cloud/settings.hpp"

#include "azure/ids.hpp"
#include "azure/text.hpp"
#include "cloud/error.hpp"

namespace mitral::cloud {
namespace {

constexpr base::Milliseconds longest_leniency = base::Seconds(longest_leniency_s);

std::uint16_t port(base::Table& table, std::string_view key, std::uint16_t fallback) {
    return static_cast<std::uint16_t>(table.integer(key, fallback, 0, 65'535));
}

base::Seconds seconds(base::Table& table, std::string_view key, base::Seconds fallback) {
    return std::chrono::duration_cast<base::Seconds>(
        table.seconds(key, fallback, base::Milliseconds(0), longest_leniency));
}

}  // namespace

base::Status check(const Settings& settings) {
    const auto refused = [](std::string text) {
        return base::fail(CloudError::invalid_argument, std::move(text));
    };
    if (settings.state.empty())
        return refused("--state: name a directory");
    if (settings.names.empty())
        return refused("--name: at least one is needed");
    for (const auto& name : settings.names)
        if (const auto good = azure::check_host(azure::to_lower(name));
            !good || name.find(':') != std::string::npos)
            return refused("--name: " + azure::shown(name) +
                           " is no host name (letters, digits, '-' and '.')");
    if (settings.assigned_hub.empty())
        return {};
    if (const auto good = azure::check_host(azure::to_lower(settings.assigned_hub)); !good)
        return refused("--assigned-hub: " + good.error().context);
    return {};
}

base::Status read_settings(base::Table table, Settings& settings) {
    settings.state = table.text("state", settings.state);
    settings.names = table.texts("names", settings.names);
    settings.listen = table.text("listen", settings.listen);
    settings.mqtt_port = port(table, "mqtt_port", settings.mqtt_port);
    settings.https_port = port(table, "https_port", settings.https_port);
    if (const auto amqp = table.integer("amqp_port", -1, 0, 65'535); amqp >= 0)
        settings.amqp_port = static_cast<std::uint16_t>(amqp);
    settings.consumer_groups = table.texts("consumer_groups", settings.consumer_groups);
    settings.admin_port = port(table, "admin_port", settings.admin_port);
    constexpr std::int64_t none = -1;
    if (const auto files = table.integer("files_port", none, none, 65'535); files != none)
        settings.files_port = static_cast<std::uint16_t>(files);
    if (const auto time = table.integer("time_port", -1, -1, 65'535); time >= 0)
        settings.time_port = static_cast<std::uint16_t>(time);
    settings.assigned_hub = table.text("assigned_hub", settings.assigned_hub);
    settings.expiry_grace = seconds(table, "expiry_grace_s", settings.expiry_grace);
    settings.clock_skew = seconds(table, "clock_skew_s", settings.clock_skew);
    settings.retry_after = seconds(table, "retry_after_s", settings.retry_after);
    settings.log_max_mb = static_cast<std::uint64_t>(table.integer(
        "log_max_mb", static_cast<std::int64_t>(settings.log_max_mb), 0, largest_log_mb));
    settings.tier = table.text("tier", settings.tier);
    settings.units = table.integer("units", settings.units, 1, 200);
    settings.as_observed = table.texts("as_observed", settings.as_observed);
    settings.user = table.text("user", settings.user);
    return table.finish();
}

}  // namespace mitral::cloud
