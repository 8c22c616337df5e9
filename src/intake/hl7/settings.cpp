#include "intake/hl7/settings.hpp"

#include <algorithm>
#include <set>

#include "base/errors.hpp"
#include "intake/hl7/entry_settings.hpp"

namespace mitral::intake::hl7 {
namespace {

using base::Milliseconds;
using base::Table;

constexpr Milliseconds second{1000};
constexpr Milliseconds hour{3'600'000};

ServerLimits read_limits(Table& table) {
    ServerLimits limits;
    const auto count = [&](std::string_view key, std::size_t fallback, std::int64_t maximum) {
        return static_cast<std::size_t>(
            table.integer(key, static_cast<std::int64_t>(fallback), 1, maximum));
    };
    limits.connections = count("connections", limits.connections, 4096);
    limits.connections_per_address =
        count("connections_per_address", limits.connections_per_address, 4096);
    limits.frame_bytes = count("frame_kb", limits.frame_bytes / 1024, 4096) * 1024;
    limits.idle = table.seconds("idle_s", limits.idle, second, 24 * hour);
    limits.frame = table.seconds("frame_s", limits.frame, second, hour);
    limits.handshake = table.seconds("handshake_s", limits.handshake, second, hour);
    limits.messages_per_s = table.integer("messages_per_s", limits.messages_per_s, 1, 100'000);
    return limits;
}

// What no entry can know by itself; empty: nothing is wrong.
std::string contradiction(const Settings& settings) {
    if (settings.listeners.empty() && !settings.dials())
        return "[intake-hl7] takes nothing in: add [[intake-hl7.listen]], or a monitor with dial";
    const bool asks_for_certificates = std::ranges::any_of(
        settings.listeners,
        [](const ListenSettings& listener) { return !listener.tls.client_roots.empty(); });
    std::set<std::string> sources;
    for (auto monitor = settings.monitors.begin(); monitor != settings.monitors.end(); ++monitor) {
        const auto who = "[[intake-hl7.monitor]] " + monitor->source;
        if (!sources.insert(monitor->source).second)
            return who + " is there twice: give each monitor a source of its own";
        if (!monitor->network && monitor->certificate.empty() && !monitor->dial)
            return who + " cannot be told from others: set address, certificate or dial";
        if (!monitor->certificate.empty() && !asks_for_certificates)
            return who + " has a certificate, but no [[intake-hl7.listen]] has client_roots";
        const bool same = std::any_of(settings.monitors.begin(), monitor, [&](const auto& other) {
            return other.network == monitor->network && other.certificate == monitor->certificate;
        });
        if (same && (monitor->network || !monitor->certificate.empty()))
            return who + " has address and certificate of another monitor";
    }
    return {};
}

}  // namespace

bool Settings::dials() const noexcept {
    return std::ranges::any_of(
        monitors, [](const MonitorSettings& monitor) { return monitor.dial.has_value(); });
}

base::Result<Settings> read_settings(const base::Config& config) {
    auto table = config.table("intake-hl7");
    Settings settings;
    settings.adapter = read_adapter_settings(table, "hl7");
    settings.limits = read_limits(table);
    settings.limits.group.delay = settings.adapter.commit_delay;
    settings.code_tables = table.texts("code_tables");
    settings.pseudonyms = table.boolean("pseudonyms", false);
    settings.clock_tolerance =
        table.seconds("clock_tolerance_s", settings.clock_tolerance, second, 24 * hour);
    settings.zone = table.text("zone", "");
    for (auto& entry : table.tables("listen")) {
        MITRAL_TRY(auto listener, read_listener(entry));
        settings.listeners.push_back(std::move(listener));
    }
    for (auto& entry : table.tables("monitor")) {
        MITRAL_TRY(auto monitor, read_monitor(entry));
        settings.monitors.push_back(std::move(monitor));
    }
    MITRAL_CHECK(table.finish());
    if (const auto what = contradiction(settings); !what.empty())
        return base::fail(base::BaseError::invalid_setting, what);
    return settings;
}

}  // namespace mitral::intake::hl7
