// The [timed] table of mitral.toml (docs/configuration.md).
#pragma once

#include <string>

#include "base/config.hpp"
#include "timed/exchange.hpp"

namespace mitral::timed {

struct Settings {
    std::string user;
    std::string vault_socket;
    Server server;
    base::Milliseconds interval{};     // between good answers
    base::Milliseconds retry_after{};  // of a failure
    base::Milliseconds timeout{};      // of one exchange
};

[[nodiscard]] base::Result<Settings> read_settings(base::Table table);

}  // namespace mitral::timed
