// Deployments as rows: an update for a group, what became of it in each of the
// group's device classes, and on each device.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "cloud/adu/import_manifest.hpp"
#include "cloud/hub/twins.hpp"
#include "cloud/store/database.hpp"

namespace mitral::cloud::adu {

struct Deployment {
    std::string group{};
    std::string id{};
    std::string workflow{};  // what devices see of it
    UpdateId update{};
    base::WallTime starts{};
};

enum class SubgroupState : std::uint8_t { active, inactive, canceled };
[[nodiscard]] std::string_view to_text(SubgroupState state) noexcept;

struct SubgroupDeployment {
    std::string group{};
    std::string class_id{};
    std::string deployment{};
    SubgroupState state = SubgroupState::active;
    std::string retried{};  // timestamp of the last retry; empty: none
};

enum class DeviceProgress : std::uint8_t { in_progress, succeeded, failed, canceled };
[[nodiscard]] std::string_view to_text(DeviceProgress progress) noexcept;

struct DeviceState {
    std::string group{};
    std::string deployment{};
    std::string device{};
    std::string module{};
    std::string class_id{};
    DeviceProgress progress = DeviceProgress::in_progress;
    std::int64_t retries = 0;
    std::string retried{};  // timestamp of the retry that it is in
};

class Deployments {
  public:
    Deployments(store::Database& database, const base::Clock& clock)
        : database_(database), clock_(clock) {}

    [[nodiscard]] base::Status add(const Deployment& deployment);
    [[nodiscard]] base::Status remove(std::string_view group, std::string_view id);
    [[nodiscard]] base::Result<std::optional<Deployment>> find(std::string_view group,
                                                               std::string_view id) const;
    [[nodiscard]] base::Result<std::optional<Deployment>> of_workflow(std::string_view id) const;
    [[nodiscard]] base::Result<std::vector<Deployment>> list(
        std::string_view group) const;  // newest first
    [[nodiscard]] base::Result<std::optional<base::WallTime>> next_start() const;
    [[nodiscard]] base::Result<bool> uses(const UpdateId& update) const;  // in an active one

    [[nodiscard]] base::Status save(const SubgroupDeployment& row);
    // Whatever is active there is so no more.
    [[nodiscard]] base::Status supersede(std::string_view group, std::string_view class_id);
    [[nodiscard]] base::Result<std::vector<SubgroupDeployment>> subgroups(
        std::string_view group, std::string_view deployment) const;
    [[nodiscard]] base::Result<std::vector<SubgroupDeployment>> of_class(
        std::string_view group, std::string_view class_id) const;

    [[nodiscard]] base::Status save(const DeviceState& state);
    [[nodiscard]] base::Result<std::optional<DeviceState>> state(std::string_view group,
                                                                 std::string_view deployment,
                                                                 hub::TwinName name) const;
    [[nodiscard]] base::Result<std::vector<DeviceState>> states(std::string_view group,
                                                                std::string_view deployment,
                                                                std::string_view class_id) const;
    [[nodiscard]] base::Result<std::optional<DeviceState>> last(hub::TwinName name) const;

  private:
    store::Database& database_;
    const base::Clock& clock_;
};

}  // namespace mitral::cloud::adu
