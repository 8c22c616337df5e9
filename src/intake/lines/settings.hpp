// The table [intake-lines] of mitral.toml.
#pragma once

#include <string>

#include "base/config.hpp"
#include "base/result.hpp"
#include "intake/lines/server.hpp"
#include "spool/writer.hpp"

namespace mitral::intake {

struct Settings {
    std::string socket;        // where adapters connect
    std::string socket_group;  // who may (mode 0660); empty: the owner's group
    std::string vault;         // socket of the vault
    std::string status;        // status file; empty: none
    std::string user;          // become this user when started as root; empty: stay
    std::string reader_group;  // may read the spool (the uplink's); empty: leave
    spool::WriterOptions spool;
    ServerLimits limits;
};

[[nodiscard]] base::Result<Settings> read_settings(const base::Config& config);

}  // namespace mitral::intake
