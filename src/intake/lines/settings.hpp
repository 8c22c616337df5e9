// The table [intake-lines] of mitral.toml.
#pragma once

#include <string>

#include "base/config.hpp"
#include "base/result.hpp"
#include "intake/lines/server.hpp"
#include "intake/store/adapter_settings.hpp"

namespace mitral::intake {

struct Settings : AdapterSettings {
    std::string socket;        // where adapters connect
    std::string socket_group;  // who may (mode 0660); empty: the owner's group
    ServerLimits limits;
};

[[nodiscard]] base::Result<Settings> read_settings(const base::Config& config);

}  // namespace mitral::intake
