#include "cloud/adu/rollout.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "azure/text.hpp"
#include "base/crypto.hpp"
#include "base/log.hpp"
#include "cloud/error.hpp"
#include "cloud/json.hpp"
#include "cloud/store/transaction.hpp"

namespace mitral::cloud::adu {
namespace {

using Ordered = nlohmann::ordered_json;

constexpr std::size_t max_deployment_id = 73;
constexpr base::Milliseconds longest_wait = std::chrono::hours(1);

std::string new_workflow_id() {
    const auto high = base::random_u64();
    const auto low = base::random_u64();
    return fmt::format("{:08x}-{:04x}-4{:03x}-8{:03x}-{:012x}", high >> 32U,
                       (high >> 16U) & 0xffffU, high & 0xfffU, low >> 52U, low & 0xffff'ffff'ffffU);
}

base::Status check_deployment_id(std::string_view id) {
    const bool bad = std::any_of(id.begin(), id.end(), [](char c) {
        return c <= ' ' || c == 0x7f || (c >= 'A' && c <= 'Z') ||
               std::string_view("&^[]{}|<>/\\\":").find(c) != std::string_view::npos;
    });
    if (id.empty() || id.size() > max_deployment_id || bad)
        return base::fail(CloudError::invalid_argument,
                          "a deployment id has up to 73 lower-case characters");
    return {};
}

// Members of a twin stay until they are set to null.
Ordered without_old(const Json& twin, Ordered urls) {
    const auto at = nlohmann::json::json_pointer("/deviceUpdate/service/fileUrls");
    if (twin.contains(at) && twin[at].is_object())
        for (const auto& [id, url] : twin[at].items())
            if (!urls.contains(id))
                urls[id] = nullptr;
    return urls;
}

// Once over, a deployment stays so on a device, but a device that is found up to date after all has
// succeeded (the reboot took longer than the agent waited).
DeviceProgress next_progress(DeviceProgress now, const AgentReport& report,
                             const UpdateId& update) {
    const bool installed = report.installed == update;
    const bool over = now != DeviceProgress::in_progress;
    if (report.state == AgentState::failed)
        return over ? now : DeviceProgress::failed;
    if (report.state != AgentState::idle || now == DeviceProgress::succeeded)
        return now;
    const bool cancelled = report.action == static_cast<std::int64_t>(Action::cancel) ||
                           (report.result && report.result->code == result_cancelled);
    if (installed)
        return DeviceProgress::succeeded;
    return cancelled && !over ? DeviceProgress::canceled : now;
}

}  // namespace

base::Status Rollout::open(std::string files_url,
                           std::function<void(const hub::TwinUpdate&)> push) {
    files_url_ = std::move(files_url);
    push_ = std::move(push);
    MITRAL_TRY(const auto names, parts_.fleet.candidates());
    for (const auto& [device, module] : names)
        if (const auto twin = parts_.twins.find({device, module}))
            on_twin(*twin);
    await_next_start();
    return {};
}

void Rollout::on_twin(const hub::Twin& twin) {
    const auto seen = sight(twin);
    if (!seen)
        return;
    if (const auto taken = take(*seen); !taken)
        base::log(base::Severity::error, "update-agent-not-followed",
                  {{"device", twin.device}, {"cause", taken.error().message()}});
}

// The agent is stored before anything is written to its twin, which comes back here.
base::Status Rollout::take(const Sighting& seen) {
    MITRAL_TRY(const auto before, parts_.fleet.find(seen.agent.name()));
    if (before == seen.agent)
        return {};
    MITRAL_CHECK(parts_.fleet.save(seen));
    if (!before || before->agent != seen.agent.agent)
        MITRAL_CHECK(follow(seen.agent));
    if (!seen.agent.diagnostics.empty() &&
        (!before || before->diagnostics != seen.agent.diagnostics))
        MITRAL_CHECK(parts_.logs.follow(seen.agent.name(), seen.agent.diagnostics));
    return offer(seen.agent);
}

base::Status Rollout::follow(const Agent& agent) {
    MITRAL_TRY(const auto report, read_report(agent.agent));
    MITRAL_TRY(const auto deployment, parts_.deployments.of_workflow(report.workflow));
    if (!deployment)
        return {};
    MITRAL_TRY(auto state,
               parts_.deployments.state(deployment->group, deployment->id, agent.name()));
    if (!state || (!report.retried.empty() && report.retried != state->retried))
        return {};
    const auto next = next_progress(state->progress, report, deployment->update);
    if (next == state->progress)
        return {};
    state->progress = next;
    base::log(base::Severity::notice, "update-progress",
              {{"device", agent.device},
               {"deployment", deployment->id},
               {"state", to_text(next)},
               {"result", report.result ? report.result->code : 0}});
    return parts_.deployments.save(*state);
}

// A class that comes into a group later gets the group's newest active deployment, if it fits.
base::Result<std::optional<SubgroupDeployment>> Rollout::active_for(const Agent& agent) {
    MITRAL_TRY(const auto rows, parts_.deployments.of_class(agent.group, agent.class_id));
    for (const auto& row : rows)
        if (row.state == SubgroupState::active)
            return row;
    if (!rows.empty())
        return std::nullopt;
    MITRAL_TRY(const auto all, parts_.deployments.list(agent.group));
    if (all.empty())
        return std::nullopt;
    MITRAL_TRY(const auto others, parts_.deployments.subgroups(agent.group, all.front().id));
    const bool active = std::any_of(others.begin(), others.end(), [](const auto& row) {
        return row.state == SubgroupState::active;
    });
    const auto update = parts_.updates.find(all.front().update);
    MITRAL_TRY(const auto device_class, parts_.fleet.device_class(agent.class_id));
    if (!active || !update || !is_compatible(update->manifest, device_class.properties))
        return std::nullopt;
    SubgroupDeployment row{
        .group = agent.group, .class_id = agent.class_id, .deployment = all.front().id};
    MITRAL_CHECK(parts_.deployments.save(row));
    return row;
}

base::Status Rollout::offer(const Agent& agent) {
    MITRAL_TRY(const auto active, active_for(agent));
    if (!active)
        return {};
    MITRAL_TRY(const auto deployment, parts_.deployments.find(agent.group, active->deployment));
    MITRAL_TRY(const auto known,
               parts_.deployments.state(agent.group, active->deployment, agent.name()));
    if (!deployment || known || parts_.clock.wall() < deployment->starts)
        return {};
    MITRAL_CHECK(instruct(*deployment, agent.name(), Action::deploy, {}));
    return parts_.deployments.save(DeviceState{.group = agent.group,
                                               .deployment = deployment->id,
                                               .device = agent.device,
                                               .module = agent.module,
                                               .class_id = agent.class_id});
}

// All of it each time: an agent acts on the message that it gets, not on the twin.
base::Status Rollout::instruct(const Deployment& deployment, hub::TwinName name, Action action,
                               std::string_view retried) {
    MITRAL_TRY(const auto update, parts_.updates.find(deployment.update));
    MITRAL_TRY(const auto files, parts_.updates.files_for_devices(deployment.update));
    MITRAL_TRY(const auto signature, parts_.keys.sign(update.device_manifest));
    MITRAL_TRY(const auto twin, parts_.twins.find(name));
    MITRAL_TRY(const auto desired, parse_json(twin.desired.values));
    Ordered urls = Ordered::object();
    for (const auto& file : files)
        urls[file.id] = files_url_ + "/" + file.id + "/" + azure::percent_encode(file.name);
    Ordered workflow{{"action", static_cast<std::int64_t>(action)}, {"id", deployment.workflow}};
    workflow["retryTimestamp"] = retried.empty() ? Ordered() : Ordered(retried);
    const Ordered patch{{"deviceUpdate",
                         {{"__t", "c"},
                          {"service",
                           {{"workflow", std::move(workflow)},
                            {"rootKeyPackageUrl", files_url_ + "/rootkeys.json"},
                            {"updateManifest", update.device_manifest},
                            {"updateManifestSignature", signature},
                            {"fileUrls", without_old(desired, std::move(urls))}}}}}};
    return tell(name, patch.dump());
}

base::Status Rollout::tell(hub::TwinName name, const std::string& desired) {
    MITRAL_TRY(const auto update,
               parts_.twins.update(name, {.tags = {}, .desired = desired, .replace = false}, "*"));
    if (push_)
        push_(update);
    return {};
}

base::Result<Deployment> Rollout::deploy(Deployment wanted) {
    MITRAL_CHECK(check_deployment_id(wanted.id));
    MITRAL_TRY(const auto known, parts_.deployments.find(wanted.group, wanted.id));
    if (known && known->update == wanted.update)
        return *known;
    if (known)
        return base::fail(CloudError::already_exists, "deployment " + wanted.id);
    MITRAL_TRY(const auto subgroups, parts_.fleet.subgroups(wanted.group));
    if (subgroups.empty())
        return base::fail(CloudError::not_found, "group " + wanted.group);
    MITRAL_TRY(const auto update, parts_.updates.find(wanted.update));
    if (!update.manifest.deployable)
        return base::fail(CloudError::invalid_argument, "this update is only a part of others");
    wanted.workflow = new_workflow_id();
    std::vector<std::string> fitting;
    for (const auto& row : subgroups) {
        MITRAL_TRY(const auto device_class, parts_.fleet.device_class(row.class_id));
        if (is_compatible(update.manifest, device_class.properties))
            fitting.push_back(row.class_id);
    }
    if (fitting.empty())
        return base::fail(CloudError::invalid_argument,
                          "the update fits no device class of this group");
    MITRAL_TRY(auto transaction, store::Transaction::begin(parts_.database));
    MITRAL_CHECK(parts_.deployments.add(wanted));
    for (const auto& class_id : fitting) {
        MITRAL_CHECK(parts_.deployments.supersede(wanted.group, class_id));
        MITRAL_CHECK(parts_.deployments.save(SubgroupDeployment{
            .group = wanted.group, .class_id = class_id, .deployment = wanted.id}));
    }
    MITRAL_CHECK(transaction.commit());
    MITRAL_CHECK(offer_all());
    await_next_start();
    return wanted;
}

base::Status Rollout::offer_all() {
    MITRAL_TRY(const auto agents, parts_.fleet.agents());
    for (const auto& agent : agents)
        MITRAL_CHECK(offer(agent));
    return {};
}

// At most an hour at a time: the wall clock may be set meanwhile.
void Rollout::await_next_start() {
    const auto next = parts_.deployments.next_start();
    if (!next || !*next)
        return;
    const base::Milliseconds wait((*next)->ms - parts_.clock.wall().ms);
    parts_.loop.after(std::clamp(wait, base::Milliseconds(0), longest_wait),
                      [this, alive = std::weak_ptr<bool>(alive_)] {
                          if (alive.expired())
                              return;
                          if (const auto offered = offer_all(); !offered)
                              base::log(base::Severity::error, "deployment-not-started",
                                        {{"cause", offered.error().message()}});
                          await_next_start();
                      });
}

base::Result<SubgroupDeployment> Rollout::subgroup(const Deployment& deployment,
                                                   std::string_view class_id) const {
    MITRAL_TRY(const auto rows, parts_.deployments.subgroups(deployment.group, deployment.id));
    for (const auto& row : rows)
        if (row.class_id == class_id)
            return row;
    return base::fail(CloudError::not_found, "the deployment is not in this device class");
}

base::Result<LogCollection> Rollout::collect_logs(const LogCollection& collection,
                                                  const std::vector<LogDevice>& devices) {
    for (const auto& device : devices) {
        MITRAL_TRY(const auto known, parts_.fleet.find({device.device, device.module}));
        if (!known)
            return base::fail(CloudError::not_found, "agent of " + device.device);
    }
    MITRAL_TRY(auto added, parts_.logs.add(collection, devices));
    const Ordered patch{
        {"diagnosticInformation", {{"__t", "c"}, {"service", {{"operationId", collection.id}}}}}};
    for (const auto& device : devices)
        MITRAL_CHECK(tell({device.device, device.module}, patch.dump()));
    return added;
}

}  // namespace mitral::cloud::adu
