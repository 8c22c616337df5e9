#include "cloud/api/registry_api.hpp"

#include "cloud/api/authentication_body.hpp"
#include "cloud/api/device_body.hpp"
#include "cloud/api/service_calls.hpp"
#include "cloud/error.hpp"

namespace mitral::cloud::api {
namespace {

using http::Captures;
using http::Method;
using http::Request;
using http::Response;

constexpr std::size_t list_limit = 1000;

bool is_blank(const Json& value) {
    return value.empty() || (value.is_string() && value.get_ref<const std::string&>().empty());
}

Json to_json(const hub::Device& device, bool connected) {
    const auto never = "0001-01-01T00:00:00Z";
    return {
        {"deviceId", device.id},
        {"generationId", device.generation},
        {"etag", device.etag},
        {"connectionState", connected ? "Connected" : "Disconnected"},
        {"status", device.enabled ? "enabled" : "disabled"},
        {"statusReason", device.status_reason.empty() ? Json(nullptr) : Json(device.status_reason)},
        {"connectionStateUpdatedTime", never},
        {"statusUpdatedTime", base::to_iso8601(device.status_updated)},
        {"lastActivityTime", never},
        {"cloudToDeviceMessageCount", 0},
        {"authentication", authentication_json(device.authentication)},
        {"capabilities", {{"iotEdge", device.edge}}}};
}

Response put(RegistryApi& api, const Request& request, const std::string& id) {
    const auto body = parse_json(request.body);
    if (!body)
        return refusal_of(body.error());
    auto device = read_device(*body, id);
    if (!device)
        return refusal_of(device.error());
    const bool enabled = device->enabled;
    const auto stored = request.if_match.empty()
                            ? api.registry.create(*std::move(device))
                            : api.registry.update(*std::move(device), unquoted(request.if_match));
    if (!stored)
        return refusal_of(stored.error());
    if (!enabled)
        (void)api.service.disconnect(id, "device was disabled");
    return json_response(200, to_json(*stored, api.service.is_connected(id)));
}

Response get(const RegistryApi& api, const std::string& id) {
    const auto device = api.registry.find(id);
    if (!device)
        return refusal_of(device.error());
    if (!*device)
        return service_refusal(404, "DeviceNotFound", id);
    return json_response(200, to_json(**device, api.service.is_connected(id)));
}

Response list(const RegistryApi& api) {
    const auto devices = api.registry.list(list_limit);
    if (!devices)
        return refusal_of(devices.error());
    auto array = Json::array();
    for (const auto& device : *devices)
        array.push_back(to_json(device, api.service.is_connected(device.id)));
    return json_response(200, array);
}

Response remove(RegistryApi& api, const Request& request, const std::string& id) {
    const auto etag = request.if_match.empty() ? std::string("*") : unquoted(request.if_match);
    if (const auto removed = api.registry.remove(id, etag); !removed)
        return refusal_of(removed.error());
    (void)api.service.disconnect(id, "device was deleted");
    return no_content();
}

}  // namespace

base::Result<hub::Device> read_device(const Json& body, const std::string& id) {
    const auto named = text_member(body, "deviceId", id);
    if (!body.is_object() || named != id)
        return base::fail(CloudError::invalid_argument, "deviceId differs from the path");
    hub::Device device{.id = id};
    const auto status = text_member(body, "status", "enabled");
    if (status != "enabled" && status != "disabled")
        return base::fail(CloudError::invalid_argument, "status is enabled or disabled");
    device.enabled = status == "enabled";
    device.status_reason = text_member(body, "statusReason");
    if (const auto* capabilities = member(body, "capabilities"))
        if (const auto* edge = member(*capabilities, "iotEdge");
            edge != nullptr && edge->is_boolean())
            device.edge = edge->get<bool>();
    for (const auto* scope : {"deviceScope", "parentScopes"})
        if (const auto* value = member(body, scope); value != nullptr && !is_blank(*value))
            return base::fail(CloudError::not_supported, "Parent and child devices");
    MITRAL_TRY(device.authentication, read_authentication(body));
    return device;
}

void RegistryApi::mount(http::Router& router) {
    const auto with = [self = *this](auto action) {
        return [self, action](const Request& request, const Captures& at) mutable {
            return action(self, request, at);
        };
    };
    const auto& auth = authenticator;
    router.add(Method::put, "/devices/{id}",
               guarded(auth, hub::registry_write,
                       with([](RegistryApi& api, const Request& request, const Captures& at) {
                           return put(api, request, at[0]);
                       })));
    router.add(Method::get, "/devices/{id}",
               guarded(auth, hub::registry_read,
                       with([](RegistryApi& api, const Request&, const Captures& at) {
                           return get(api, at[0]);
                       })));
    router.add(
        Method::get, "/devices",
        guarded(auth, hub::registry_read,
                with([](RegistryApi& api, const Request&, const Captures&) { return list(api); })));
    router.add(Method::remove, "/devices/{id}",
               guarded(auth, hub::registry_write,
                       with([](RegistryApi& api, const Request& request, const Captures& at) {
                           return remove(api, request, at[0]);
                       })));
}

std::string device_json(const hub::Device& device, bool connected) {
    return dump(to_json(device, connected));
}

}  // namespace mitral::cloud::api
