// What `mitral-cloud` does with the faults of a running server, found by its state directory.
#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"

namespace mitral::cloud {

[[nodiscard]] base::Status list_faults(const std::string& state);
// `parameters`: "name=value" each.
[[nodiscard]] base::Status set_fault(const std::string& state, const std::string& name,
                                     const std::vector<std::string>& parameters);
// Checks the script before it asks the server to start it.
[[nodiscard]] base::Status run_fault_script(const std::string& state, const std::string& file);
[[nodiscard]] base::Status print_fault_log(const std::string& state);
[[nodiscard]] base::Status clear_fault(const std::string& state, const std::string& name);

}  // namespace mitral::cloud
