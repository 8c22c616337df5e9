#include "cloud/adu/rollout.hpp"
#include "cloud/error.hpp"

namespace mitral::cloud::adu {

base::Status Rollout::cancel(const Deployment& deployment, std::string_view class_id) {
    MITRAL_TRY(auto row, subgroup(deployment, class_id));
    if (row.state == SubgroupState::canceled)
        return {};
    if (row.state == SubgroupState::inactive)
        return base::fail(CloudError::invalid_argument, "a newer deployment has replaced this one");
    row.state = SubgroupState::canceled;
    MITRAL_CHECK(parts_.deployments.save(row));
    MITRAL_TRY(const auto states,
               parts_.deployments.states(deployment.group, deployment.id, class_id));
    for (const auto& state : states)
        if (state.progress == DeviceProgress::in_progress)
            MITRAL_CHECK(instruct(deployment, {state.device, state.module}, Action::cancel, {}));
    return {};
}

base::Status Rollout::retry(const Deployment& deployment, std::string_view class_id) {
    MITRAL_TRY(auto row, subgroup(deployment, class_id));
    if (row.state != SubgroupState::active)
        return base::fail(CloudError::invalid_argument, "the deployment is not active any more");
    row.retried = base::to_iso8601(parts_.clock.wall());
    MITRAL_CHECK(parts_.deployments.save(row));
    MITRAL_TRY(auto states, parts_.deployments.states(deployment.group, deployment.id, class_id));
    for (auto& state : states) {
        if (state.progress != DeviceProgress::failed)
            continue;
        state.progress = DeviceProgress::in_progress;
        state.retried = row.retried;
        ++state.retries;
        MITRAL_CHECK(parts_.deployments.save(state));
        MITRAL_CHECK(
            instruct(deployment, {state.device, state.module}, Action::deploy, row.retried));
    }
    return {};
}

base::Status Rollout::remove(const Deployment& deployment) {
    MITRAL_TRY(const auto rows, parts_.deployments.subgroups(deployment.group, deployment.id));
    for (const auto& row : rows)
        if (row.state == SubgroupState::active)
            MITRAL_CHECK(cancel(deployment, row.class_id));
    return parts_.deployments.remove(deployment.group, deployment.id);
}

}  // namespace mitral::cloud::adu
