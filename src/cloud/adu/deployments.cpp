#include "cloud/adu/deployments.hpp"

#include <algorithm>
#include <array>

#include "cloud/adu/rows.hpp"

namespace mitral::cloud::adu {
namespace {

constexpr std::array<std::string_view, 3> subgroup_texts{"Active", "Inactive", "Canceled"};
constexpr std::array<std::string_view, 4> progress_texts{"InProgress", "Succeeded", "Failed",
                                                         "Canceled"};
constexpr std::string_view deployment_columns =
    "SELECT grp, id, workflow, provider, name, version, starts FROM adu_deployment ";
constexpr std::string_view subgroup_columns =
    "SELECT grp, class, deployment, state, retried FROM adu_subgroup_deployment ";
constexpr std::string_view state_columns =
    "SELECT s.grp, s.deployment, s.device, s.module, s.class, s.state, s.retries, s.retried "
    "FROM adu_device_state s ";

template <typename State, std::size_t Count>
State from_text(const std::array<std::string_view, Count>& texts, std::string_view text) {
    const auto found = std::find(texts.begin(), texts.end(), text);
    return static_cast<State>(found == texts.end() ? 0 : found - texts.begin());
}

Deployment read_deployment(const store::Statement& row) {
    return {.group = row.text(0),
            .id = row.text(1),
            .workflow = row.text(2),
            .update = {row.text(3), row.text(4), row.text(5)},
            .starts = {row.integer(6)}};
}

SubgroupDeployment read_subgroup(const store::Statement& row) {
    return {.group = row.text(0),
            .class_id = row.text(1),
            .deployment = row.text(2),
            .state = from_text<SubgroupState>(subgroup_texts, row.text(3)),
            .retried = row.text(4)};
}

DeviceState read_state(const store::Statement& row) {
    return {.group = row.text(0),
            .deployment = row.text(1),
            .device = row.text(2),
            .module = row.text(3),
            .class_id = row.text(4),
            .progress = from_text<DeviceProgress>(progress_texts, row.text(5)),
            .retries = row.integer(6),
            .retried = row.text(7)};
}

template <typename Row, typename Read>
base::Result<std::optional<Row>> one(store::Statement& query, Read read) {
    MITRAL_TRY(const bool found, query.step());
    return found ? std::optional<Row>(read(query)) : std::nullopt;
}

}  // namespace

std::string_view to_text(SubgroupState state) noexcept {
    return subgroup_texts[static_cast<std::size_t>(state)];
}

std::string_view to_text(DeviceProgress progress) noexcept {
    return progress_texts[static_cast<std::size_t>(progress)];
}

base::Status Deployments::add(const Deployment& deployment) {
    auto insert = database_.prepare(
        "INSERT INTO adu_deployment (grp, id, workflow, provider, name, version, starts) "
        "VALUES (?, ?, ?, ?, ?, ?, ?)");
    insert.bind(deployment.group).bind(deployment.id).bind(deployment.workflow);
    insert.bind(deployment.update.provider).bind(deployment.update.name);
    return run(insert.bind(deployment.update.version).bind(deployment.starts.ms));
}

base::Status Deployments::remove(std::string_view group, std::string_view id) {
    for (const auto* sql : {"DELETE FROM adu_deployment WHERE grp = ? AND id = ?",
                            "DELETE FROM adu_subgroup_deployment WHERE grp = ? AND deployment = ?",
                            "DELETE FROM adu_device_state WHERE grp = ? AND deployment = ?"}) {
        auto erase = database_.prepare(sql);
        MITRAL_CHECK(run(erase.bind(group).bind(id)));
    }
    return {};
}

base::Result<std::optional<Deployment>> Deployments::find(std::string_view group,
                                                          std::string_view id) const {
    auto query = database_.prepare(std::string(deployment_columns) + "WHERE grp = ? AND id = ?");
    return one<Deployment>(query.bind(group).bind(id), read_deployment);
}

base::Result<std::optional<Deployment>> Deployments::of_workflow(std::string_view id) const {
    auto query = database_.prepare(std::string(deployment_columns) + "WHERE workflow = ?");
    return one<Deployment>(query.bind(id), read_deployment);
}

base::Result<std::vector<Deployment>> Deployments::list(std::string_view group) const {
    auto query =
        database_.prepare(std::string(deployment_columns) + "WHERE grp = ? ORDER BY sequence DESC");
    query.bind(group);
    return read_rows<Deployment>(query, read_deployment);
}

base::Result<std::optional<base::WallTime>> Deployments::next_start() const {
    auto query = database_.prepare(
        "SELECT starts FROM adu_deployment WHERE starts > ? ORDER BY starts LIMIT 1");
    return one<base::WallTime>(query.bind(clock_.wall().ms),
                               [](const auto& row) { return base::WallTime{row.integer(0)}; });
}

base::Result<bool> Deployments::uses(const UpdateId& update) const {
    auto query = database_.prepare(
        "SELECT 1 FROM adu_deployment d JOIN adu_subgroup_deployment s "
        "ON s.grp = d.grp AND s.deployment = d.id WHERE s.state = 'Active' "
        "AND d.provider = ? AND d.name = ? AND d.version = ? LIMIT 1");
    return query.bind(update.provider).bind(update.name).bind(update.version).step();
}

base::Status Deployments::save(const SubgroupDeployment& row) {
    auto put = database_.prepare(
        "INSERT OR REPLACE INTO adu_subgroup_deployment (grp, class, deployment, state, retried) "
        "VALUES (?, ?, ?, ?, ?)");
    put.bind(row.group).bind(row.class_id).bind(row.deployment);
    return run(put.bind(to_text(row.state)).bind(row.retried));
}

base::Status Deployments::supersede(std::string_view group, std::string_view class_id) {
    auto update = database_.prepare(
        "UPDATE adu_subgroup_deployment SET state = 'Inactive' "
        "WHERE grp = ? AND class = ? AND state = 'Active'");
    return run(update.bind(group).bind(class_id));
}

base::Result<std::vector<SubgroupDeployment>> Deployments::subgroups(
    std::string_view group, std::string_view deployment) const {
    auto query = database_.prepare(std::string(subgroup_columns) +
                                   "WHERE grp = ? AND deployment = ? ORDER BY class");
    query.bind(group).bind(deployment);
    return read_rows<SubgroupDeployment>(query, read_subgroup);
}

base::Result<std::vector<SubgroupDeployment>> Deployments::of_class(
    std::string_view group, std::string_view class_id) const {
    auto query = database_.prepare(std::string(subgroup_columns) + "WHERE grp = ? AND class = ?");
    query.bind(group).bind(class_id);
    return read_rows<SubgroupDeployment>(query, read_subgroup);
}

base::Status Deployments::save(const DeviceState& state) {
    auto put = database_.prepare(
        "INSERT OR REPLACE INTO adu_device_state (grp, deployment, device, module, class, state, "
        "retries, retried, updated) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)");
    put.bind(state.group).bind(state.deployment).bind(state.device).bind(state.module);
    put.bind(state.class_id).bind(to_text(state.progress)).bind(state.retries);
    return run(put.bind(state.retried).bind(clock_.wall().ms));
}

base::Result<std::optional<DeviceState>> Deployments::state(std::string_view group,
                                                            std::string_view deployment,
                                                            hub::TwinName name) const {
    auto query =
        database_.prepare(std::string(state_columns) +
                          "WHERE s.grp = ? AND s.deployment = ? AND s.device = ? AND s.module = ?");
    query.bind(group).bind(deployment).bind(name.device).bind(name.module);
    return one<DeviceState>(query, read_state);
}

base::Result<std::vector<DeviceState>> Deployments::states(std::string_view group,
                                                           std::string_view deployment,
                                                           std::string_view class_id) const {
    auto query = database_.prepare(std::string(state_columns) +
                                   "WHERE s.grp = ? AND s.deployment = ? AND s.class = ? "
                                   "ORDER BY s.device, s.module");
    query.bind(group).bind(deployment).bind(class_id);
    return read_rows<DeviceState>(query, read_state);
}

base::Result<std::optional<DeviceState>> Deployments::last(hub::TwinName name) const {
    auto query =
        database_.prepare(std::string(state_columns) +
                          "JOIN adu_deployment d ON d.grp = s.grp AND d.id = s.deployment "
                          "WHERE s.device = ? AND s.module = ? ORDER BY d.sequence DESC LIMIT 1");
    return one<DeviceState>(query.bind(name.device).bind(name.module), read_state);
}

}  // namespace mitral::cloud::adu
