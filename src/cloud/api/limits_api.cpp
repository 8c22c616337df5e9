#include "cloud/api/limits_api.hpp"

#include "azure/text.hpp"
#include "cloud/api/json.hpp"
#include "cloud/api/service_calls.hpp"
#include "cloud/metrics/api_meter.hpp"

namespace mitral::cloud::api {
namespace {

using http::Method;
using http::Request;
using http::Response;
using limits::Limit;

// As the router reads it: without regard to case and empty segments.
std::string plain_path(std::string_view path) {
    std::string plain;
    for (const char c : azure::to_lower(path))
        if (c != '/' || plain.empty() || plain.back() != '/')
            plain += c;
    while (plain.size() > 1 && plain.back() == '/')
        plain.pop_back();
    return plain;
}

std::optional<Limit> limit_of(Method method, std::string_view path) {
    const auto api = metrics::api_of(path);
    if (api == "registry" || api == "modules" || api == "statistics")
        return Limit::registry;
    if (api == "device-messages" && method == Method::post && path.ends_with("/messages"))
        return Limit::devicebound;  // of the admin port
    if (api == "query")
        return Limit::queries;
    if (api == "methods")
        return Limit::methods;
    if (api == "twins")
        return method == Method::get ? Limit::twin_reads : Limit::twin_updates;
    return std::nullopt;
}

bool is_telemetry(Method method, std::string_view path) {
    return method == Method::post && metrics::api_of(path) == "device-messages" &&
           path.ends_with("/messages/events");
}

Response throttled(Limit limit) {
    auto response = service_refusal(
        429, "ThrottlingException",
        "the tier allows no more " +
            std::string(limits::limit_names[static_cast<std::size_t>(limit)]) + " now");
    response.headers.emplace_back("Retry-After", "1");
    return response;
}

Json state_of(limits::Limits& limits) {
    const auto& figures = limits.figures();
    auto refused = Json::object();
    for (std::size_t i = 0; i < limits::limit_names.size(); ++i)
        refused[limits::limit_names[i]] = limits.refusals(static_cast<Limit>(i));
    return {{"messagesPerDay", figures.messages_a_day},
            {"messagesUsed", limits.used()},
            {"meterBytes", figures.meter_bytes},
            {"connectsPerSecond", figures.connects_a_second},
            {"sendsPerSecond", figures.sends_a_second},
            {"cloudToDevicePerMinute", figures.devicebound_a_minute},
            {"registryPerMinute", figures.registry_a_minute},
            {"queriesPerMinute", figures.queries_a_minute},
            {"twinReadsPerSecond", figures.twin_reads_a_second},
            {"twinUpdatesPerSecond", figures.twin_updates_a_second},
            {"methodBytesPerSecond", figures.method_bytes_a_second},
            {"refused", std::move(refused)}};
}

}  // namespace

Response within_limits(limits::Limits& limits, const Request& request, const http::Handler& serve) {
    const auto path = plain_path(request.path);
    const auto telemetry = is_telemetry(request.method, path);
    const auto limit = telemetry ? std::optional(Limit::sends) : limit_of(request.method, path);
    if (!limit)
        return serve(request);
    const auto size = static_cast<std::int64_t>(request.body.size());
    const auto cost = *limit == Limit::methods ? std::max<std::int64_t>(1, size) : 1;
    if (!limits.take(*limit, cost))
        return throttled(*limit);
    if (telemetry && !limits.take_message(request.body.size())) {
        limits.give_back(*limit, cost);
        return service_refusal(403, "IotHubQuotaExceeded", "daily quota used up");
    }
    auto response = serve(request);
    if (response.status >= 400) {
        limits.give_back(*limit, cost);
        if (telemetry)
            limits.give_back_message(request.body.size());
    }
    return response;
}

void mount_limits(http::Router& router, limits::Limits* limits) {
    router.add(Method::get, "/limits", [limits](const Request&, const http::Captures&) {
        return json_response(200, limits != nullptr ? state_of(*limits) : Json::object());
    });
}

void add_limits(metrics::Exposition& out, limits::Limits& limits) {
    out.gauge("quota_messages", "Messages that the tier allows today.")
        .sample(static_cast<std::uint64_t>(limits.figures().messages_a_day));
    out.gauge("quota_messages_used", "Messages of today that count for the quota.")
        .sample(static_cast<std::uint64_t>(limits.used()));
    out.counter("throttled_total", "What the limits of the tier refused.");
    for (std::size_t i = 0; i < limits::limit_names.size(); ++i)
        out.sample("limit", limits::limit_names[i], limits.refusals(static_cast<Limit>(i)));
}

}  // namespace mitral::cloud::api
