// Brings deployments to devices: writes what a device shall do into its twin,
// and follows what it reports to success or failure. Single-threaded.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/event_loop.hpp"
#include "cloud/adu/deployments.hpp"
#include "cloud/adu/fleet.hpp"
#include "cloud/adu/key_ring.hpp"
#include "cloud/adu/log_collections.hpp"
#include "cloud/adu/report.hpp"
#include "cloud/adu/updates.hpp"

namespace mitral::cloud::adu {

// All outlive the rollout.
struct RolloutParts {
    base::EventLoop& loop;
    const base::Clock& clock;
    store::Database& database;
    hub::Twins& twins;
    Updates& updates;
    KeyRing& keys;
    Fleet& fleet;
    Deployments& deployments;
    LogCollections& logs;
};

class Rollout {
  public:
    explicit Rollout(RolloutParts parts) : parts_(parts) {}

    // Once, before the first twin changes. `files_url`: where devices download,
    // without a slash at the end; `push` tells a connected device what changed in
    // its twin.
    [[nodiscard]] base::Status open(std::string files_url,
                                    std::function<void(const hub::TwinUpdate&)> push);
    // Each twin that was changed, by its device or by the service.
    void on_twin(const hub::Twin& twin);

    // Again with the same update is the same deployment. Fails with not_found
    // (group, update), invalid_argument, already_exists (another update under
    // this id).
    [[nodiscard]] base::Result<Deployment> deploy(Deployment wanted);
    // In one device class. Devices that are busy are told to stop.
    [[nodiscard]] base::Status cancel(const Deployment& deployment, std::string_view class_id);
    // Devices that have failed begin again.
    [[nodiscard]] base::Status retry(const Deployment& deployment, std::string_view class_id);
    // Cancels what is active, then forgets it.
    [[nodiscard]] base::Status remove(const Deployment& deployment);
    // Asks agents for their logs. Fails with not_found, already_exists.
    [[nodiscard]] base::Result<LogCollection> collect_logs(const LogCollection& collection,
                                                           const std::vector<LogDevice>& devices);

  private:
    [[nodiscard]] base::Status take(const Sighting& seen);
    [[nodiscard]] base::Status follow(const Agent& agent);
    [[nodiscard]] base::Status offer(const Agent& agent);
    [[nodiscard]] base::Result<std::optional<SubgroupDeployment>> active_for(const Agent& agent);
    [[nodiscard]] base::Status instruct(const Deployment& deployment, hub::TwinName name,
                                        Action action, std::string_view retried);
    [[nodiscard]] base::Status tell(hub::TwinName name, const std::string& desired);
    [[nodiscard]] base::Result<SubgroupDeployment> subgroup(const Deployment& deployment,
                                                            std::string_view class_id) const;
    [[nodiscard]] base::Status offer_all();
    void await_next_start();

    RolloutParts parts_;
    std::string files_url_;
    std::function<void(const hub::TwinUpdate&)> push_;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace mitral::cloud::adu
