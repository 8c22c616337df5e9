#include "cloud/api/fault_script_api.hpp"

#include "cloud/api/json.hpp"

namespace mitral::cloud::api {
namespace {

using http::Captures;
using http::Method;
using http::Request;
using http::Response;

Response start(faults::ScriptRunner& runner, const Request& request) {
    auto steps = faults::read_script(request.body);
    if (!steps)
        return json_response(400, {{"Message", steps.error().context}});
    const auto last_ms = steps->back().at.count();
    runner.start(*std::move(steps));
    return json_response(
        200, {{"steps", runner.left()}, {"lasts_s", static_cast<double>(last_ms) / 1000}});
}

std::string_view word(faults::FaultEvent event) {
    using faults::FaultEvent;
    return event == FaultEvent::on ? "on" : event == FaultEvent::off ? "off" : "struck";
}

Response log(const Faults& faults) {
    Response response;
    response.content_type = "application/x-ndjson";
    for (const auto& record : faults.log().records())
        response.body += dump(Json{{"number", record.number},
                                   {"fault", faults::entry_of(record.fault).name},
                                   {"event", word(record.event)},
                                   {"times", record.times},
                                   {"first", base::to_iso8601(record.first)},
                                   {"last", base::to_iso8601(record.last)}}) +
                         "\n";
    return response;
}

}  // namespace

void FaultScriptApi::mount(http::Router& router) {
    router.add(Method::post, "/fault-script",
               [&runner = runner](const Request& request, const Captures&) {
                   return start(runner, request);
               });
    router.add(Method::get, "/fault-script", [&runner = runner](const Request&, const Captures&) {
        return json_response(200, {{"steps_left", runner.left()}});
    });
    router.add(Method::remove, "/fault-script",
               [&runner = runner](const Request&, const Captures&) {
                   runner.stop();
                   return json_response(200, {{"steps_left", 0}});
               });
    router.add(Method::get, "/fault-log",
               [&faults = faults](const Request&, const Captures&) { return log(faults); });
}

}  // namespace mitral::cloud::api
