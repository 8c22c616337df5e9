#include "cloud/api/log_collections_api.hpp"

#include <algorithm>

#include "cloud/error.hpp"

namespace mitral::cloud::api {
namespace {

using adu::DeviceUpdate;
using http::Captures;
using http::Method;
using http::Request;
using http::Response;

struct LogStatus {
    std::string status;
    base::WallTime changed;
};

LogStatus log_status(const adu::LogCollection& collection,
                     const std::vector<adu::LogDevice>& devices) {
    LogStatus all{"Succeeded", collection.created};
    for (const auto& device : devices) {
        all.changed = std::max(all.changed, device.updated);
        if (device.status == "Running" || (device.status == "Failed" && all.status == "Succeeded"))
            all.status = device.status;
    }
    return all;
}

base::Result<Json> logs_json(const DeviceUpdate& service, const adu::LogCollection& collection,
                             bool detailed) {
    MITRAL_TRY(const auto devices, service.logs.devices(collection.id));
    const auto [state, changed] = log_status(collection, devices);
    Json json{{"operationId", collection.id},
              {"description", collection.description},
              {"createdDateTime", base::to_iso8601(collection.created)},
              {"lastActionDateTime", base::to_iso8601(changed)},
              {"status", state}};
    auto& list = json[detailed ? "deviceStatus" : "deviceList"] = Json::array();
    for (const auto& device : devices) {
        Json one{{"deviceId", device.device}};
        if (!device.module.empty())
            one["moduleId"] = device.module;
        if (detailed) {
            one["status"] = device.status;
            one["resultCode"] = device.result_code;
            one["extendedResultCode"] = device.extended_code;
        }
        list.push_back(std::move(one));
    }
    return json;
}

Response show_logs(const DeviceUpdate& service, std::string_view id, bool detailed) {
    const auto known = service.logs.find(id);
    if (!known)
        return update_refusal(known.error());
    if (!*known)
        return update_refusal(404, "NotFound", "no such log collection");
    const auto json = logs_json(service, **known, detailed);
    return json ? json_response(200, *json) : update_refusal(json.error());
}

base::Result<std::vector<adu::LogDevice>> read_log_devices(const Json& body) {
    const auto* list = member(body, "deviceList");
    if (list == nullptr || !list->is_array() || list->empty() ||
        list->size() > adu::LogCollections::max_devices)
        return base::fail(CloudError::invalid_argument, "deviceList names 1 to 100 agents");
    std::vector<adu::LogDevice> devices;
    for (const auto& one : *list) {
        if (!one.is_object())
            return base::fail(CloudError::invalid_argument, "deviceList holds no agent");
        devices.push_back(
            {.device = text_member(one, "deviceId"), .module = text_member(one, "moduleId")});
    }
    return devices;
}

Response put_logs(DeviceUpdate& service, const Request& request, const Captures& at) {
    const auto body = parse_json(request.body);
    if (!body || !body->is_object())
        return update_refusal(400, "BadRequest", "the body is no object");
    const auto devices = read_log_devices(*body);
    if (!devices)
        return update_refusal(devices.error());
    constexpr std::size_t longest = 512;
    adu::LogCollection wanted{at[0], text_member(*body, "description").substr(0, longest), {}};
    const auto added = service.rollout.collect_logs(wanted, *devices);
    return added ? show_logs(service, at[0], false) : update_refusal(added.error());
}

Response list_logs(DeviceUpdate& service, const Request& request, const Captures&) {
    const auto all = service.logs.list();
    if (!all)
        return update_refusal(all.error());
    std::vector<Json> items;
    for (const auto& collection : *all) {
        auto json = logs_json(service, collection, false);
        if (!json)
            return update_refusal(json.error());
        items.push_back(*std::move(json));
    }
    return update_page(request, std::move(items));
}

}  // namespace

void mount_log_collections(http::Router& router, const CallGuard& guard,
                           adu::DeviceUpdate& service) {
    using Action = Response (*)(DeviceUpdate&, const Request&, const Captures&);
    const auto add = [&](Method method, std::string_view path, Action action) {
        add_update_call(router, guard, method, "/management" + std::string(path),
                        [&service, action](const Request& request, const Captures& captures) {
                            return action(service, request, captures);
                        });
    };
    const std::string logs = "/deviceDiagnostics/logCollections";
    add(Method::get, logs, list_logs);
    add(Method::put, logs + "/{operation}", put_logs);
    add(Method::get, logs + "/{operation}",
        [](DeviceUpdate& at, const Request&, const Captures& captures) {
            return show_logs(at, captures[0], false);
        });
    add(Method::get, logs + "/{operation}/detailedStatus",
        [](DeviceUpdate& at, const Request&, const Captures& captures) {
            return show_logs(at, captures[0], true);
        });
}

}  // namespace mitral::cloud::api
