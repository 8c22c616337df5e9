// What the settings name and the process needs in memory before it is caged: code tables, time
// zones, certificates.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "intake/hl7/acceptor.hpp"
#include "intake/hl7/code_table.hpp"
#include "intake/hl7/dialler.hpp"
#include "intake/hl7/monitors.hpp"
#include "intake/hl7/settings.hpp"
#include "intake/hl7/zone.hpp"

namespace mitral::intake::hl7 {

// Monitors point into dialects and zones, so it stays where it was made.
class Equipment {
  public:
    // Errors name the setting or the file and the remedy.
    [[nodiscard]] static base::Result<std::unique_ptr<Equipment>> load(const Settings& settings);

    [[nodiscard]] Monitors& monitors() noexcept { return *monitors_; }
    // The monitors that are dialled, by their place among all.
    [[nodiscard]] const std::vector<std::pair<std::size_t, DialPlan>>& dials() const noexcept {
        return dials_;
    }

  private:
    Equipment() = default;
    [[nodiscard]] base::Status load_code_tables(const std::vector<std::string>& files);
    [[nodiscard]] base::Result<const Zone*> zone(const std::string& name);
    [[nodiscard]] base::Result<Monitor> monitor(const MonitorSettings& entry,
                                                const Settings& settings);
    [[nodiscard]] static base::Result<DialPlan> dial_plan(const MonitorSettings& entry);

    std::map<std::string, Dialect> dialects_;
    std::map<std::string, Zone> zones_;
    std::unique_ptr<Monitors> monitors_;
    std::vector<std::pair<std::size_t, DialPlan>> dials_;
};

// Listens where the settings say.
[[nodiscard]] base::Result<std::vector<Listener>> open_listeners(const Settings& settings);

}  // namespace mitral::intake::hl7
