#include "cloud/api/device_management_api.hpp"

#include <algorithm>

#include "cloud/api/update_overview.hpp"
#include "cloud/error.hpp"

namespace mitral::cloud::api {
namespace {

using adu::Agent;
using adu::DeviceUpdate;
using http::Captures;
using http::Method;
using http::Request;
using http::Response;

// Runs a call that needs the overview.
template <typename Call>
Response with_overview(DeviceUpdate& service, Call call) {
    const auto all = Overview::make(service);
    if (!all)
        return update_refusal(all.error());
    auto answer = call(*all);
    return answer ? *std::move(answer) : update_refusal(answer.error());
}

Json info(const adu::StoredUpdate& update) {
    return update_info_json(update.manifest.id, update.manifest.description, update.friendly_name);
}

Json class_json(const Overview& all, const adu::DeviceClass& one) {
    Json json{{"deviceClassId", one.id},
              {"deviceClassProperties",
               {{"contractModel", {{"id", one.model}, {"name", one.model}}},
                {"compatProperties", one.properties}}}};
    if (!one.friendly_name.empty())
        json["friendlyName"] = one.friendly_name;
    if (const auto* best = all.best(one.id))
        json["bestCompatibleUpdate"] = info(*best);
    return json;
}

Json result_json(const adu::InstallResult& result) {
    return {{"resultCode", result.code},
            {"extendedResultCode", result.extended},
            {"resultDetails", result.details}};
}

base::Result<Json> device_json(DeviceUpdate& service, const Overview& all, const Agent& agent) {
    Json json{{"deviceId", agent.device},
              {"deviceClassId", agent.class_id},
              {"groupId", agent.group},
              {"onLatestUpdate", all.on_latest(agent)}};
    if (!agent.module.empty())
        json["moduleId"] = agent.module;
    MITRAL_TRY(const auto report, adu::read_report(agent.agent));
    if (report.installed)
        json["installedUpdate"] = update_info_json(*report.installed, {}, {});
    if (report.result) {
        json["lastInstallResult"] = result_json(*report.result);
        json["lastInstallResult"]["stepResults"] = Json::array();
        for (const auto& step : report.steps)
            json["lastInstallResult"]["stepResults"].push_back(result_json(step));
    }
    MITRAL_TRY(const auto last, service.deployments.last(agent.name()));
    if (!last)
        return json;
    MITRAL_TRY(const auto deployment, service.deployments.find(last->group, last->deployment));
    json["lastDeploymentId"] = last->deployment;
    json["deploymentStatus"] = adu::to_text(last->progress);
    if (deployment)
        json["lastAttemptedUpdate"] = update_info_json(deployment->update, {}, {});
    return json;
}

Response list_classes(DeviceUpdate& service, const Request& request, const Captures&) {
    const auto filter = read_filter(request, {"friendlyName"});
    if (!filter)
        return update_refusal(filter.error());
    return with_overview(service, [&](const Overview& all) -> base::Result<Response> {
        std::vector<Json> items;
        for (const auto& one : all.classes())
            if (!filter->contains("friendlyName") ||
                filter->at("friendlyName") == one.friendly_name)
                items.push_back(class_json(all, one));
        return update_page(request, std::move(items));
    });
}

Response get_class(DeviceUpdate& service, const Request&, const Captures& at) {
    return with_overview(service, [&](const Overview& all) -> base::Result<Response> {
        MITRAL_TRY(const auto one, service.fleet.device_class(at[0]));
        return json_response(200, class_json(all, one));
    });
}

Response rename_class(DeviceUpdate& service, const Request& request, const Captures& at) {
    const auto body = parse_json(request.body);
    const auto name = body && body->is_object() ? text_member(*body, "friendlyName") : "";
    constexpr std::size_t longest = 100;
    constexpr std::string_view alphabet =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-";
    if (name.empty() || name.size() > longest ||
        name.find_first_not_of(alphabet) != std::string::npos)
        return update_refusal(400, "BadRequest", "friendlyName: 1 to 100 letters, digits, . and -");
    if (const auto renamed = service.fleet.rename_class(at[0], name); !renamed)
        return update_refusal(renamed.error());
    return get_class(service, request, at);
}

Response installable(DeviceUpdate& service, const Request& request, const Captures& at) {
    return with_overview(service, [&](const Overview& all) -> base::Result<Response> {
        MITRAL_TRY(const auto known, service.fleet.device_class(at[0]));
        std::vector<Json> items;
        for (const auto* update : all.fitting(known.id))
            items.push_back(info(*update));
        return update_page(request, std::move(items));
    });
}

Response list_devices(DeviceUpdate& service, const Request& request, const Captures&) {
    const auto filter = read_filter(request, {"groupId", "deviceClassId", "deploymentStatus"});
    if (!filter)
        return update_refusal(filter.error());
    return with_overview(service, [&](const Overview& all) -> base::Result<Response> {
        std::vector<Json> items;
        for (const auto& agent : all.agents()) {
            MITRAL_TRY(auto json, device_json(service, all, agent));
            const bool wanted =
                std::all_of(filter->begin(), filter->end(), [&](const auto& clause) {
                    return text_member(json, clause.first, "null") == clause.second;
                });
            if (wanted)
                items.push_back(std::move(json));
        }
        return update_page(request, std::move(items));
    });
}

Response get_device(DeviceUpdate& service, const Request&, const Captures& at) {
    return with_overview(service, [&](const Overview& all) -> base::Result<Response> {
        const auto module = at.size() > 1 ? std::string_view(at[1]) : std::string_view();
        MITRAL_TRY(const auto agent, service.fleet.find({at[0], module}));
        if (!agent)
            return base::fail(CloudError::not_found, "no update agent has reported there");
        MITRAL_TRY(const auto json, device_json(service, all, *agent));
        return json_response(200, json);
    });
}

// Of a group, of a subgroup, or of all: whatever `at` says.
bool is_in(const Agent& agent, const Captures& at) {
    return (at.empty() || agent.group == at[0]) && (at.size() < 2 || agent.class_id == at[1]);
}

Response compliance(DeviceUpdate& service, const Request&, const Captures& at) {
    return with_overview(service, [&](const Overview& all) -> base::Result<Response> {
        int total = 0;
        int latest = 0;
        int busy = 0;
        for (const auto& agent : all.agents()) {
            if (!is_in(agent, at))
                continue;
            ++total;
            MITRAL_TRY(const bool in_progress, all.in_progress(agent));
            if (in_progress)
                ++busy;
            else if (all.on_latest(agent))
                ++latest;
        }
        return json_response(200, {{"totalDeviceCount", total},
                                   {"onLatestUpdateDeviceCount", latest},
                                   {"newUpdatesAvailableDeviceCount", total - latest - busy},
                                   {"updatesInProgressDeviceCount", busy}});
    });
}

base::Result<Json> group_json(DeviceUpdate& service, const Overview& all, const adu::Group& group) {
    const auto count = std::count_if(all.agents().begin(), all.agents().end(),
                                     [&](const Agent& agent) { return agent.group == group.id; });
    Json active = Json::array();
    MITRAL_TRY(const auto deployments, service.deployments.list(group.id));
    for (const auto& deployment : deployments) {
        MITRAL_TRY(const auto rows, service.deployments.subgroups(group.id, deployment.id));
        if (std::any_of(rows.begin(), rows.end(),
                        [](const auto& row) { return row.state == adu::SubgroupState::active; }))
            active.push_back(deployment.id);
    }
    return Json{{"groupId", group.id},
                {"groupType", group.id == adu::default_group ? "DefaultNoTag" : "IoTHubTag"},
                {"createdDateTime", base::to_iso8601(group.created)},
                {"deviceCount", count},
                {"deployments", std::move(active)}};
}

Response groups(DeviceUpdate& service, const Request& request, const Captures& at) {
    return with_overview(service, [&](const Overview& all) -> base::Result<Response> {
        MITRAL_TRY(const auto known, service.fleet.groups());
        std::vector<Json> items;
        for (const auto& group : known) {
            if (!at.empty() && group.id != at[0])
                continue;
            MITRAL_TRY(auto json, group_json(service, all, group));
            if (!at.empty())
                return json_response(200, json);
            items.push_back(std::move(json));
        }
        if (!at.empty())
            return base::fail(CloudError::not_found, "no such group");
        return update_page(request, std::move(items));
    });
}

Response subgroups(DeviceUpdate& service, const Request& request, const Captures& at) {
    return with_overview(service, [&](const Overview& all) -> base::Result<Response> {
        MITRAL_TRY(const auto known, service.fleet.subgroups(at[0]));
        std::vector<Json> items;
        for (const auto& row : known) {
            if (at.size() > 1 && row.class_id != at[1])
                continue;
            const auto count = std::count_if(
                all.agents().begin(), all.agents().end(),
                [&](const Agent& agent) { return is_in(agent, {row.group, row.class_id}); });
            Json json{{"groupId", row.group},
                      {"deviceClassId", row.class_id},
                      {"createdDateTime", base::to_iso8601(row.created)},
                      {"deviceCount", count}};
            MITRAL_TRY(const auto deployments,
                       service.deployments.of_class(row.group, row.class_id));
            for (const auto& one : deployments)
                if (one.state == adu::SubgroupState::active)
                    json["deploymentId"] = one.deployment;
            if (at.size() > 1)
                return json_response(200, json);
            items.push_back(std::move(json));
        }
        if (at.size() > 1 || known.empty())
            return base::fail(CloudError::not_found, "no such group or device class");
        return update_page(request, std::move(items));
    });
}

// For each subgroup with devices that lack the newest update: how many they
// are.
Response best_updates(DeviceUpdate& service, const Request& request, const Captures& at) {
    return with_overview(service, [&](const Overview& all) -> base::Result<Response> {
        MITRAL_TRY(const auto known, service.fleet.subgroups(at[0]));
        std::vector<Json> items;
        for (const auto& row : known) {
            const auto* best = all.best(row.class_id);
            if (best == nullptr || (at.size() > 1 && row.class_id != at[1]))
                continue;
            const auto count =
                std::count_if(all.agents().begin(), all.agents().end(), [&](const Agent& agent) {
                    return is_in(agent, {row.group, row.class_id}) && !all.on_latest(agent);
                });
            Json json{{"groupId", row.group},
                      {"deviceClassId", row.class_id},
                      {"update", info(*best)},
                      {"deviceCount", count}};
            if (at.size() > 1)
                return json_response(200, json);
            items.push_back(std::move(json));
        }
        if (at.size() > 1)
            return base::fail(CloudError::not_found, "no update fits there");
        return update_page(request, std::move(items));
    });
}

}  // namespace

void DeviceManagementApi::mount(http::Router& router, const CallGuard& guard) const {
    using Action = Response (*)(DeviceUpdate&, const Request&, const Captures&);
    const auto add = [&](Method method, std::string_view path, Action action) {
        add_update_call(router, guard, method, "/management" + std::string(path),
                        [&at = service, action](const Request& request, const Captures& captures) {
                            return action(at, request, captures);
                        });
    };
    const std::string device_class = "/deviceClasses/{class}";
    const std::string group = "/groups/{group}";
    const std::string subgroup = group + "/deviceClassSubgroups/{class}";
    add(Method::get, "/deviceClasses", list_classes);
    add(Method::get, device_class, get_class);
    add(Method::patch, device_class, rename_class);
    add(Method::get, device_class + "/installableUpdates", installable);
    add(Method::get, "/devices", list_devices);
    add(Method::get, "/devices/{device}", get_device);
    add(Method::get, "/devices/{device}/modules/{module}", get_device);
    add(Method::get, "/updateCompliance", compliance);
    add(Method::get, "/groups", groups);
    add(Method::get, group, groups);
    add(Method::get, group + "/updateCompliance", compliance);
    add(Method::get, group + "/bestUpdates", best_updates);
    add(Method::get, group + "/deviceClassSubgroups", subgroups);
    add(Method::get, subgroup, subgroups);
    add(Method::get, subgroup + "/updateCompliance", compliance);
    add(Method::get, subgroup + "/bestUpdates", best_updates);
}

}  // namespace mitral::cloud::api
