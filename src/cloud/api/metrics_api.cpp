#include "cloud/api/metrics_api.hpp"

#include "base/log.hpp"
#include "cloud/api/faults_api.hpp"
#include "cloud/api/limits_api.hpp"
#include "cloud/metrics/inventory.hpp"

namespace mitral::cloud::api {
namespace {

using metrics::Exposition;
using metrics::Traffic;

constexpr std::array<std::pair<mqtt::ConnectCode, std::string_view>, 5> refusals{
    {{mqtt::ConnectCode::unacceptable_protocol, "protocol"},
     {mqtt::ConnectCode::identifier_rejected, "client-id"},
     {mqtt::ConnectCode::server_unavailable, "unavailable"},
     {mqtt::ConnectCode::bad_user_name_or_password, "user-or-password"},
     {mqtt::ConnectCode::not_authorised, "not-authorised"}}};

void add_messages(Exposition& out, const MetricsApi& api) {
    out.counter("messages_total", "Telemetry messages accepted.")
        .sample(api.hub.counters().messages);
    out.counter("message_bytes_total", "Bytes of their bodies.")
        .sample(api.hub.counters().message_bytes);
    out.gauge("log_first_offset", "Offset of the oldest message that is kept.")
        .sample(api.log.first_offset());
    out.gauge("log_end_offset", "Offset that the next message gets.").sample(api.log.end_offset());
    out.gauge("log_bytes", "Size of the message log.").sample(api.log.bytes());
    out.gauge("log_missing_messages", "Messages of the log that are damaged and cannot be read.")
        .sample(api.log.damage().missing());
}

template <std::size_t count>
void add_flow(Exposition& out, const MetricsApi& api,
              std::array<Traffic::Flow, count> Traffic::* flow,
              const std::array<std::string_view, count>& names,
              std::uint64_t Traffic::Flow::* what) {
    for (const auto& [transport, traffic] :
         {std::pair("mqtt", &api.meters.mqtt), std::pair("websocket", &api.meters.websocket)})
        for (std::size_t i = 0; i < count; ++i)
            out.sample({"transport", transport}, {"kind", names[i]}, ((traffic->*flow)[i]).*what);
}

void add_traffic(Exposition& out, const MetricsApi& api) {
    using Flow = Traffic::Flow;
    out.counter("received_total", "MQTT messages taken from clients.");
    add_flow(out, api, &Traffic::in, metrics::inbound_names, &Flow::messages);
    out.counter("received_bytes_total", "Bytes of their bodies.");
    add_flow(out, api, &Traffic::in, metrics::inbound_names, &Flow::bytes);
    out.counter("sent_total", "MQTT messages handed to connections of clients.");
    add_flow(out, api, &Traffic::out, metrics::outbound_names, &Flow::messages);
    out.counter("sent_bytes_total", "Bytes of their bodies.");
    add_flow(out, api, &Traffic::out, metrics::outbound_names, &Flow::bytes);
}

void add_connections(Exposition& out, const MetricsApi& api) {
    const auto& mqtt = api.connections;
    out.gauge("connections", "Open connections; of MQTT, clients that are admitted.")
        .sample("transport", "mqtt", api.meters.mqtt.open)
        .sample("transport", "websocket", api.meters.websocket.open)
        .sample("transport", "https", api.meters.https_open)
        .sample("transport", "amqp", api.meters.amqp_open)
        .sample("transport", "amqp-websocket", api.meters.amqp_websocket_open)
        .sample("transport", "admin", api.meters.admin_open);
    out.gauge("connected_clients", "Hub clients connected now.").sample(api.hub.connected());
    out.gauge("links", "Open connections of all kinds.").sample(api.pool.size());
    out.gauge("strangers", "Of these, how many have not shown who they are.")
        .sample(api.pool.strangers());
    out.counter("displaced_total", "Strangers that made room for other connections.")
        .sample(api.pool.displaced());
    out.gauge("buffered_bytes", "Memory in connection buffers.").sample(api.pool.buffered_bytes());
    out.counter("connects_total", "MQTT connections accepted.").sample(mqtt.connects);
    out.counter("connects_refused_total", "CONNECTs refused.").sample(mqtt.refused);
    out.counter("connects_refused_by_reason_total", "The same by the code they were answered.");
    for (const auto& [code, reason] : refusals)
        out.sample("reason", reason, mqtt.refused_with[static_cast<std::size_t>(code)]);
    out.counter("publishes_total", "PUBLISH packets taken.").sample(mqtt.publishes);
    out.counter("subscribes_total", "SUBSCRIBE packets, whatever became of them.")
        .sample(mqtt.subscribes);
    out.counter("takeovers_total", "Connections replaced by the same identity.")
        .sample(api.hub.counters().takeovers);
    out.counter("violations_total", "Connections closed for what they sent.")
        .sample(mqtt.violations);
}

void add_back_ends(Exposition& out, const MetricsApi& api) {
    const auto& traffic = api.meters.back_ends;
    out.counter("amqp_messages_total", "Messages over AMQP.")
        .sample("kind", "event-delivered", traffic.events_delivered)
        .sample("kind", "devicebound-taken", traffic.devicebound_taken);
    out.counter("amqp_refused_total", "Links and tokens that AMQP peers were refused.")
        .sample(traffic.refused);
}

void add_services(Exposition& out, const MetricsApi& api) {
    out.counter("api_calls_total", "Calls of the HTTPS API answered.");
    for (const auto& [call, count] : api.meters.api.counts())
        out.sample({"api", call.first}, {"status", std::to_string(call.second)}, count);
    const auto& methods = api.methods.counters();
    out.counter("methods_total", "Direct methods by their end.")
        .sample("outcome", "answered", methods.answered)
        .sample("outcome", "not-online", methods.not_online)
        .sample("outcome", "timed-out", methods.timed_out)
        .sample("outcome", "refused", methods.refused);
    out.gauge("methods_in_flight", "Direct methods that wait for an answer.")
        .sample(api.methods.in_flight());
    out.counter("devicebound_total", "Cloud-to-device messages taken from senders.")
        .sample(api.queue.counters().sent);
    out.counter("devicebound_ended_total", "Cloud-to-device messages by their end.");
    for (std::size_t i = 0; i < hub::DeviceboundQueue::outcomes.size(); ++i)
        out.sample("outcome", hub::DeviceboundQueue::outcomes[i], api.queue.counters().ended[i]);
    const auto& dps = api.registrar.counters();
    out.counter("dps_answers_total", "Answers to registrations and look-ups.")
        .sample("state", "assigning", dps.assigning)
        .sample("state", "assigned", dps.assigned)
        .sample("state", "disabled", dps.disabled)
        .sample("state", "throttled", dps.throttled)
        .sample("state", "refused", dps.refused)
        .sample("state", "failed", dps.failed);
}

void add_time(Exposition& out, const MetricsApi& api) {
    const auto counts = api.time ? api.time->counters() : time::Responder::Counters();
    out.counter("time_answers_total", "Requests for signed time answered.").sample(counts.answers);
    out.counter("time_refused_total", "Requests for signed time without an answer.")
        .sample("reason", "malformed", counts.ignored)
        .sample("reason", "rate", counts.limited);
}

http::Response metrics_of(const MetricsApi& api) {
    Exposition out;
    add_messages(out, api);
    add_traffic(out, api);
    add_connections(out, api);
    add_back_ends(out, api);
    add_services(out, api);
    add_time(out, api);
    if (api.limits != nullptr)
        add_limits(out, *api.limits);
    out.gauge("hub_away", "1 while a hub-away fault runs.")
        .sample(api.faults.in_force(Fault::hub_away) != nullptr ? 1 : 0);
    http::Response response;
    if (const auto counted = metrics::add_inventory(out, api.database); !counted) {
        base::log(base::Severity::error, "metrics-failed", {{"cause", counted.error().message()}});
        response.status = 500;
        return response;
    }
    metrics::add_process(out, api.meters.started_ms);
    response.body = out.take() + fault_metrics(api.faults);
    response.content_type = "text/plain; version=0.0.4; charset=utf-8";
    return response;
}

}  // namespace

void MetricsApi::mount(http::Router& router) const {
    router.add(
        http::Method::get, "/metrics",
        [self = *this](const http::Request&, const http::Captures&) { return metrics_of(self); });
}

}  // namespace mitral::cloud::api
