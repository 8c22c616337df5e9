#include "cloud/api/methods_api.hpp"

#include "cloud/api/json.hpp"
#include "cloud/api/service_calls.hpp"
#include "cloud/error.hpp"
#include "cloud/hub/method_body.hpp"
#include "cloud/store/ids.hpp"

namespace mitral::cloud::api {
namespace {

using http::Captures;
using http::Method;
using http::Request;
using http::Response;

// As the hub words failures of a method: JSON within the text of the message.
Response failure(unsigned status, int code, std::string_view text, const base::Clock& clock) {
    const Json detail{{"errorCode", code},
                      {"trackingId", store::new_tracking_id()},
                      {"message", text},
                      {"timestampUtc", base::to_iso8601(clock.wall())}};
    return json_response(status, {{"Message", detail.dump()}, {"ExceptionMessage", ""}});
}

Response to_response(const base::Result<hub::MethodAnswer>& answer, const base::Clock& clock) {
    if (!answer && answer.error().code == CloudError::not_online)
        return failure(404, 404103, "Timed out waiting for device to connect.", clock);
    if (!answer && answer.error().code == CloudError::timed_out)
        return failure(504, 504101, "Timed out waiting for the response from device.", clock);
    if (!answer)
        return refusal_of(answer.error());
    auto payload = parse_json(answer->payload);
    if (!payload)
        return service_refusal(500, "ServerError", "the device's answer is no JSON");
    return json_response(200, {{"status", answer->status},
                               {"payload", answer->payload.empty() ? Json() : *payload}});
}

Response invoke(MethodsApi& api, const Request& request, const Captures& at) {
    const auto device = api.registry.find(at[0]);
    if (!device)
        return refusal_of(device.error());
    if (!*device)
        return service_refusal(404, "DeviceNotFound", at[0]);
    const auto body = parse_json(request.body);
    if (!body)
        return refusal_of(body.error());
    auto call = hub::read_method_call(*body, at.size() > 1 ? at[0] + "/" + at[1] : at[0]);
    if (!call)
        return refusal_of(call.error());
    Response response;
    response.later = std::make_shared<http::LateAnswer>();
    api.methods.invoke(*std::move(call), [later = response.later, &clock = api.registry.clock()](
                                             const base::Result<hub::MethodAnswer>& answer) {
        later->give(to_response(answer, clock));
    });
    return response;
}

}  // namespace

void MethodsApi::mount(http::Router& router) {
    const auto call = [self = *this](const Request& request, const Captures& at) mutable {
        return invoke(self, request, at);
    };
    router.add(Method::post, "/twins/{device}/methods",
               guarded(authenticator, hub::service_connect, call));
    router.add(Method::post, "/twins/{device}/modules/{module}/methods",
               guarded(authenticator, hub::service_connect, call));
}

}  // namespace mitral::cloud::api
