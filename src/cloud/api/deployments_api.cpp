#include <algorithm>
#include <optional>

#include "cloud/api/device_management_api.hpp"
#include "cloud/api/log_collections_api.hpp"
#include "cloud/api/service_calls.hpp"
#include "cloud/error.hpp"

namespace mitral::cloud::api {
namespace {

using adu::Deployment;
using adu::DeviceUpdate;
using adu::SubgroupState;
using http::Captures;
using http::Method;
using http::Request;
using http::Response;

base::Result<Deployment> find(const DeviceUpdate& service, std::string_view group,
                              std::string_view id) {
    MITRAL_TRY(const auto found, service.deployments.find(group, id));
    if (!found)
        return base::fail(CloudError::not_found, "no such deployment");
    return *found;
}

base::Result<Json> deployment_json(const DeviceUpdate& service, const Deployment& deployment) {
    MITRAL_TRY(const auto rows, service.deployments.subgroups(deployment.group, deployment.id));
    Json classes = Json::array();
    bool retried = false;
    for (const auto& row : rows) {
        classes.push_back(row.class_id);
        retried = retried || !row.retried.empty();
    }
    const bool canceled =
        !rows.empty() && std::all_of(rows.begin(), rows.end(), [](const auto& row) {
            return row.state == SubgroupState::canceled;
        });
    const auto update = service.updates.find(deployment.update);
    return Json{
        {"deploymentId", deployment.id},
        {"groupId", deployment.group},
        {"startDateTime", base::to_iso8601(deployment.starts)},
        {"update", update ? update_info_json(deployment.update, update->manifest.description,
                                             update->friendly_name)
                          : update_info_json(deployment.update, {}, {})},
        {"deviceClassSubgroups", std::move(classes)},
        {"isCanceled", canceled},
        {"isRetried", retried},
        {"isCloudInitiatedRollback", false}};
}

Response show(const DeviceUpdate& service, const base::Result<Deployment>& deployment) {
    if (!deployment)
        return update_refusal(deployment.error());
    const auto json = deployment_json(service, *deployment);
    return json ? json_response(200, *json) : update_refusal(json.error());
}

Response get(DeviceUpdate& service, const Request&, const Captures& at) {
    return show(service, find(service, at.front(), at.back()));
}

base::Result<Deployment> read_deployment(const DeviceUpdate& service, const Request& request,
                                         const Captures& at) {
    MITRAL_TRY(const auto body, parse_json(request.body));
    const auto* update = body.is_object() ? member(body, "update") : nullptr;
    if (update == nullptr || !update->is_object())
        return base::fail(CloudError::invalid_argument, "update is missing");
    Deployment wanted{.group = at[0], .id = at[1]};
    if (text_member(body, "deploymentId", wanted.id) != wanted.id ||
        text_member(body, "groupId", wanted.group) != wanted.group)
        return base::fail(CloudError::invalid_argument, "body and path differ");
    if (const auto* policy = member(body, "rollbackPolicy"); policy && !policy->is_null())
        return base::fail(CloudError::not_supported, "Device Update: cloud-initiated rollback");
    MITRAL_TRY(wanted.update, read_update_id(*update));
    const auto text = text_member(body, "startDateTime");
    const auto start = text.empty() ? service.clock.wall() : base::from_iso8601(text);
    if (!start)
        return base::fail(CloudError::invalid_argument, "startDateTime is no time");
    wanted.starts = *start;
    return wanted;
}

Response put(DeviceUpdate& service, const Request& request, const Captures& at) {
    auto wanted = read_deployment(service, request, at);
    if (!wanted)
        return update_refusal(wanted.error());
    return show(service, service.rollout.deploy(*std::move(wanted)));
}

Response remove(DeviceUpdate& service, const Request&, const Captures& at) {
    const auto known = find(service, at[0], at[1]);
    if (!known)
        return update_refusal(known.error());
    const auto removed = service.rollout.remove(*known);
    return removed ? no_content() : update_refusal(removed.error());
}

Response list(DeviceUpdate& service, const Request& request, const Captures& at) {
    const auto all = service.deployments.list(at[0]);
    if (!all)
        return update_refusal(all.error());
    std::vector<Json> items;
    for (const auto& deployment : *all) {
        auto json = deployment_json(service, deployment);
        if (!json)
            return update_refusal(json.error());
        const auto& classes = (*json)["deviceClassSubgroups"];
        if (at.size() < 2 || std::find(classes.begin(), classes.end(), at[1]) != classes.end())
            items.push_back(*std::move(json));
    }
    return update_page(request, std::move(items));
}

base::Result<Json> subgroup_status(const DeviceUpdate& service,
                                   const adu::SubgroupDeployment& row) {
    MITRAL_TRY(const auto states,
               service.deployments.states(row.group, row.deployment, row.class_id));
    MITRAL_TRY(const auto agents, service.fleet.agents_of(row.group, row.class_id));
    const auto count = [&](adu::DeviceProgress progress) {
        return std::count_if(states.begin(), states.end(),
                             [&](const auto& state) { return state.progress == progress; });
    };
    const auto total =
        row.state == SubgroupState::active ? std::max(states.size(), agents.size()) : states.size();
    return Json{{"groupId", row.group},
                {"deviceClassId", row.class_id},
                {"deploymentState", adu::to_text(row.state)},
                {"totalDevices", total},
                {"devicesInProgressCount", count(adu::DeviceProgress::in_progress)},
                {"devicesCompletedFailedCount", count(adu::DeviceProgress::failed)},
                {"devicesCompletedSucceededCount", count(adu::DeviceProgress::succeeded)},
                {"devicesCanceledCount", count(adu::DeviceProgress::canceled)}};
}

// Of the whole deployment, or with three captures of one subgroup.
base::Result<Json> status_json(const DeviceUpdate& service, const Captures& at) {
    MITRAL_TRY(const auto deployment, find(service, at.front(), at.back()));
    MITRAL_TRY(const auto rows, service.deployments.subgroups(deployment.group, deployment.id));
    Json parts = Json::array();
    auto state = SubgroupState::canceled;
    for (const auto& row : rows) {
        MITRAL_TRY(auto part, subgroup_status(service, row));
        if (at.size() == 3 && row.class_id == at[1])
            return part;
        parts.push_back(std::move(part));
        if (row.state == SubgroupState::active ||
            (row.state == SubgroupState::inactive && state == SubgroupState::canceled))
            state = row.state;
    }
    if (at.size() == 3)
        return base::fail(CloudError::not_found, "the deployment is not in this device class");
    return Json{{"groupId", deployment.group},
                {"deploymentState", adu::to_text(state)},
                {"subgroupStatus", std::move(parts)}};
}

Response status(DeviceUpdate& service, const Request&, const Captures& at) {
    const auto json = status_json(service, at);
    return json ? json_response(200, *json) : update_refusal(json.error());
}

Response device_states(DeviceUpdate& service, const Request& request, const Captures& at) {
    const auto filter = read_filter(request, {"deviceId", "moduleId", "deviceState"});
    if (!filter)
        return update_refusal(filter.error());
    const auto known = find(service, at[0], at[2]);
    if (!known)
        return update_refusal(known.error());
    const auto states = service.deployments.states(at[0], at[2], at[1]);
    if (!states)
        return update_refusal(states.error());
    std::vector<Json> items;
    for (const auto& state : *states) {
        const auto last = service.deployments.last({state.device, state.module});
        if (!last)
            return update_refusal(last.error());
        Json json{{"deviceId", state.device},
                  {"retryCount", state.retries},
                  {"movedOnToNewDeployment", *last && (*last)->deployment != state.deployment},
                  {"deviceState", adu::to_text(state.progress)}};
        if (!state.module.empty())
            json["moduleId"] = state.module;
        if (std::all_of(filter->begin(), filter->end(), [&](const auto& clause) {
                return text_member(json, clause.first) == clause.second;
            }))
            items.push_back(std::move(json));
    }
    return update_page(request, std::move(items));
}

// "{deployment}:cancel" and "{deployment}:retry" are one segment each.
Response act(DeviceUpdate& service, const Request&, const Captures& at) {
    const auto colon = at[2].rfind(':');
    const auto verb = colon == std::string::npos ? std::string() : at[2].substr(colon + 1);
    if (verb != "cancel" && verb != "retry")
        return update_refusal(404, "NotFound", "no such action");
    const auto known = find(service, at[0], at[2].substr(0, colon));
    if (!known)
        return update_refusal(known.error());
    const auto done = verb == "cancel" ? service.rollout.cancel(*known, at[1])
                                       : service.rollout.retry(*known, at[1]);
    return done ? show(service, known) : update_refusal(done.error());
}

}  // namespace

void DeploymentsApi::mount(http::Router& router, const CallGuard& guard) const {
    using Action = Response (*)(DeviceUpdate&, const Request&, const Captures&);
    const auto add = [&](Method method, std::string_view path, Action action) {
        add_update_call(router, guard, method, "/management" + std::string(path),
                        [&at = service, action](const Request& request, const Captures& captures) {
                            return action(at, request, captures);
                        });
    };
    const std::string of_group = "/groups/{group}/deployments";
    const std::string of_class = "/groups/{group}/deviceClassSubgroups/{class}/deployments";
    const std::string one = "/{deployment}";
    add(Method::get, of_group, list);
    add(Method::get, of_group + one, get);
    add(Method::put, of_group + one, put);
    add(Method::remove, of_group + one, remove);
    add(Method::get, of_group + one + "/status", status);
    add(Method::get, of_class, list);
    add(Method::get, of_class + one, get);
    add(Method::get, of_class + one + "/status", status);
    add(Method::get, of_class + one + "/devicestates", device_states);
    add(Method::post, of_class + one, act);
    mount_log_collections(router, guard, service);
}

}  // namespace mitral::cloud::api
