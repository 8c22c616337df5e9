// The devices that Device Update knows: twins of devices and modules whose
// agent has reported. They fall into classes (same contract, same compatibility
// properties) and groups (tag ADUGroup).
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

inline constexpr std::string_view default_group = "$default";  // of twins without the tag

struct DeviceClass {
    std::string id{};     // 40 hex digits of a SHA-256 over the rest
    std::string model{};  // of the agent's contract
    Compatibility properties{};
    std::string friendly_name{};
};

struct Agent {
    std::string device{};
    std::string module{};
    std::string class_id{};
    std::string group{};
    std::string agent{};        // reported.deviceUpdate.agent, JSON
    std::string diagnostics{};  // reported.diagnosticInformation.agent, JSON; empty: none

    [[nodiscard]] hub::TwinName name() const { return {device, module}; }
    auto operator<=>(const Agent&) const = default;
};

struct Sighting {
    Agent agent;
    DeviceClass device_class;
};
// What a twin tells of its agent; none when no agent has reported, or not its
// properties.
[[nodiscard]] std::optional<Sighting> sight(const hub::Twin& twin);

struct Subgroup {
    std::string group{};
    std::string class_id{};
    base::WallTime created{};
};
struct Group {
    std::string id{};
    base::WallTime created{};
};

class Fleet {
  public:
    static constexpr std::int64_t max_classes = 1000;

    Fleet(store::Database& database, const base::Clock& clock)
        : database_(database), clock_(clock) {}

    // Fails with throttled for one device class too many: they come from what devices say.
    [[nodiscard]] base::Status save(const Sighting& sighting);
    [[nodiscard]] base::Result<std::optional<Agent>> find(hub::TwinName name) const;
    [[nodiscard]] base::Result<std::vector<Agent>> agents() const;
    [[nodiscard]] base::Result<std::vector<Agent>> agents_of(std::string_view group,
                                                             std::string_view class_id) const;
    [[nodiscard]] base::Result<std::vector<DeviceClass>> classes() const;
    [[nodiscard]] base::Result<DeviceClass> device_class(
        std::string_view id) const;  // or not_found
    [[nodiscard]] base::Status rename_class(std::string_view id, std::string_view friendly_name);
    [[nodiscard]] base::Result<std::vector<Group>> groups() const;  // $default first
    [[nodiscard]] base::Result<std::vector<Subgroup>> subgroups(std::string_view group) const;
    // Twins that may have an agent, for the first look after a start.
    [[nodiscard]] base::Result<std::vector<std::pair<std::string, std::string>>> candidates() const;

  private:
    [[nodiscard]] base::Status add_class(const DeviceClass& device_class);

    store::Database& database_;
    const base::Clock& clock_;
};

}  // namespace mitral::cloud::adu
