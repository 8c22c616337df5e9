// `mitral-cloud` as a client of the service API of the server that runs on a state directory: it
// signs with a policy of that directory and asks over the admin port.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>

#include "base/result.hpp"

namespace mitral::cloud {

// Adds twin, method, query, statistics, registry, enrolment and purge. `action` and `state` outlive
// the parsing and the action.
void add_service_commands(CLI::App& app, std::function<base::Status()>& action, std::string& state);

}  // namespace mitral::cloud
