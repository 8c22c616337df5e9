#pragma once

#include <string>

#include "base/result.hpp"
#include "cloud/settings.hpp"

namespace mitral::cloud {

// Runs until SIGTERM or SIGINT.
[[nodiscard]] base::Status serve(const Settings& settings);

// The commands below print JSON on standard output and work beside a running server.
[[nodiscard]] base::Status enroll_group(const std::string& state, const std::string& name);
[[nodiscard]] base::Status list_devices(const std::string& state);
// Creates the device when it is missing; prints its connection string with the keys.
[[nodiscard]] base::Status show_device(const std::string& state, const std::string& id);
[[nodiscard]] base::Status show_policies(const std::string& state);

}  // namespace mitral::cloud
