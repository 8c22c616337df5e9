// All tables of the configuration file that Mitral's programs read on this unit.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/config.hpp"
#include "base/result.hpp"
#include "enrol/settings.hpp"
#include "intake/store/adapter_settings.hpp"
#include "uplink/settings.hpp"
#include "vault/settings.hpp"

namespace mitral::cli {

// One of the adapters: what all of them have alike.
struct Intake {
    std::string table;  // "intake-lines"; its program is mitral-<table>
    intake::AdapterSettings settings;
};

// A table that the file does not have is absent here too: a unit need not run every program.
struct UnitSettings {
    std::optional<vault::Settings> vault;
    std::vector<Intake> intakes;
    std::optional<enrol::Settings> enrol;
    std::optional<uplink::Settings> uplink;
};

// Fails on the first thing that a program would refuse, tables of unknown names included.
[[nodiscard]] base::Result<UnitSettings> read_unit_settings(const base::Config& config);

// Where the vault listens, by whichever table says so.
[[nodiscard]] std::string vault_socket_of(const UnitSettings& settings);

}  // namespace mitral::cli
