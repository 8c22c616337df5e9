#include "cloud/api/faults_api.hpp"

#include <fmt/format.h>

#include "cloud/api/json.hpp"

namespace mitral::cloud::api {
namespace {

using http::Captures;
using http::Method;
using http::Request;
using http::Response;

Response refusal(std::string_view text) {
    return json_response(400, {{"Message", text}});
}

Response dropped(std::size_t connections) {
    return json_response(200, {{"dropped", connections}});
}

Json to_json(const Faults::Row& row) {
    Json body{{"name", faults::entry_of(row.fault).name},
              {"on", row.order.has_value()},
              {"fired", row.fired}};
    if (!row.order)
        return body;
    if (row.order->count)
        body["count_left"] = *row.order->count;
    if (row.ends_in)
        body["ends_in_s"] = (row.ends_in->count() + 999) / 1000;
    auto parameters = Json::object();
    for (const auto& [name, value] : row.order->numbers)
        parameters[name] = value;
    for (const auto& [name, value] : row.order->texts)
        parameters[name] = value;
    body["parameters"] = std::move(parameters);
    return body;
}

Response list(const Faults& faults) {
    auto rows = Json::array();
    for (const auto& entry : faults::catalogue())
        rows.push_back(to_json(faults.row(entry.fault)));
    return json_response(200, {{"faults", std::move(rows)}});
}

Response set(Faults& faults, const std::string& name, const Request& request) {
    auto order = faults::read_order(name, request.query);
    if (!order)
        return refusal(order.error().context);
    const auto fault = order->fault;
    if (const auto begun = faults.set(*std::move(order)); !begun)
        return json_response(500, {{"Message", begun.error().message()}});
    return json_response(200, to_json(faults.row(fault)));
}

// Answers what it cut, and takes zero seconds for its end.
Response hub_away(Faults& faults, const Request& request) {
    if (request.query.size() == 1 && request.parameter("seconds") == "0") {
        faults.clear(Fault::hub_away);
        return dropped(0);
    }
    auto order = faults::read_order("hub-away", request.query);
    if (!order)
        return refusal(order.error().context);
    if (!order->duration)
        return refusal("seconds is missing");
    return dropped(faults.set(*std::move(order)).value_or(0));
}

Response drop(const FaultsApi& api, const Request& request) {
    const auto device = request.parameter("device");
    const bool all = request.parameter("all") == "1";
    if (request.query.size() != 1 || (device.empty() && !all))
        return refusal("drop takes device=ID or all=1");
    const auto cut =
        all ? api.hub.disconnect_all("fault: dropped") + api.faults.drop_amqp("fault: dropped")
            : api.hub.disconnect(device, "fault: dropped");
    api.faults.count(Fault::drop, cut);
    return dropped(cut);
}

Response clear(Faults& faults, const std::string& name) {
    const auto fault = faults::find_fault(name);
    if (!fault)
        return refusal(fault.error().context);
    faults.clear(*fault);
    return json_response(200, to_json(faults.row(*fault)));
}

Response clear_all(Faults& faults) {
    for (const auto& entry : faults::catalogue())
        faults.clear(entry.fault);
    return list(faults);
}

}  // namespace

void FaultsApi::mount(http::Router& router) {
    const auto self = *this;
    router.add(Method::get, "/faults",
               [self](const Request&, const Captures&) { return list(self.faults); });
    router.add(Method::remove, "/faults",
               [self](const Request&, const Captures&) { return clear_all(self.faults); });
    router.add(Method::post, "/faults/hub-away", [self](const Request& request, const Captures&) {
        return hub_away(self.faults, request);
    });
    router.add(Method::post, "/faults/drop",
               [self](const Request& request, const Captures&) { return drop(self, request); });
    router.add(Method::post, "/faults/{name}", [self](const Request& request, const Captures& at) {
        return set(self.faults, at[0], request);
    });
    router.add(Method::remove, "/faults/{name}",
               [self](const Request&, const Captures& at) { return clear(self.faults, at[0]); });
}

std::string fault_metrics(const Faults& faults) {
    std::string text =
        "# HELP mitral_cloud_faults_fired_total Strikes of the faults on demand.\n"
        "# TYPE mitral_cloud_faults_fired_total counter\n";
    for (const auto& entry : faults::catalogue())
        fmt::format_to(std::back_inserter(text),
                       "mitral_cloud_faults_fired_total{{fault=\"{}\"}} {}\n", entry.name,
                       faults.row(entry.fault).fired);
    return text;
}

}  // namespace mitral::cloud::api
