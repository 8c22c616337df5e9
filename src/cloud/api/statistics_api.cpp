#include "cloud/api/statistics_api.hpp"

#include "cloud/api/json.hpp"
#include "cloud/api/service_calls.hpp"

namespace mitral::cloud::api {
namespace {

http::Response devices(const hub::Registry& registry) {
    const auto all = registry.count();
    const auto enabled = registry.count_enabled();
    if (!all || !enabled)
        return refusal_of(all ? enabled.error() : all.error());
    return json_response(200, {{"totalDeviceCount", *all},
                               {"enabledDeviceCount", *enabled},
                               {"disabledDeviceCount", *all - *enabled}});
}

}  // namespace

void StatisticsApi::mount(http::Router& router) const {
    router.add(http::Method::get, "/statistics/devices",
               guarded(authenticator, hub::registry_read,
                       [&registry = registry](const http::Request&, const http::Captures&) {
                           return devices(registry);
                       }));
    router.add(http::Method::get, "/statistics/service",
               guarded(authenticator, hub::service_connect,
                       [&service = service](const http::Request&, const http::Captures&) {
                           return json_response(
                               200, {{"connectedDeviceCount", service.connected_devices()}});
                       }));
}

}  // namespace mitral::cloud::api
