#include "cloud/api/limits_api.hpp"

#include "cloud/api/json.hpp"
#include "cloud/api/service_calls.hpp"
#include "cloud/metrics/api_meter.hpp"

namespace mitral::cloud::api {
namespace {

using http::Method;
using http::Request;
using http::Response;
using limits::Limit;

std::optional<Limit> limit_of(const Request& request) {
    const auto api = metrics::api_of(request.path);
    if (api == "registry" || api == "modules" || api == "statistics")
        return Limit::registry;
    if (api == "device-messages" && request.method == Method::post &&
        request.path.ends_with("/messages"))
        return Limit::devicebound;  // of the admin port
    if (api == "query")
        return Limit::queries;
    if (api == "methods")
        return Limit::methods;
    if (api == "twins")
        return request.method == Method::get ? Limit::twin_reads : Limit::twin_updates;
    return std::nullopt;
}

bool is_telemetry(const Request& request) {
    return request.method == Method::post && metrics::api_of(request.path) == "device-messages" &&
           request.path.ends_with("/messages/events");
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

std::optional<Response> refuse_above_limits(limits::Limits& limits, const Request& request) {
    if (is_telemetry(request)) {
        if (!limits.take(Limit::sends))
            return throttled(Limit::sends);
        if (!limits.take_message(request.body.size()))
            return service_refusal(403, "IotHubQuotaExceeded", "daily quota used up");
        return std::nullopt;
    }
    const auto limit = limit_of(request);
    if (!limit)
        return std::nullopt;
    const auto cost =
        *limit == Limit::methods
            ? std::max<std::int64_t>(1, static_cast<std::int64_t>(request.body.size()))
            : 1;
    return limits.take(*limit, cost) ? std::nullopt : std::optional(throttled(*limit));
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
