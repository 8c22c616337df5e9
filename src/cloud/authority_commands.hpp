#pragma once

#include <string>

#include "base/result.hpp"

namespace mitral::cloud {

// They print JSON, one authority a line, and work beside a running server.
[[nodiscard]] base::Status add_authority(const std::string& state, const std::string& name,
                                         const std::string& file);
[[nodiscard]] base::Status list_authorities(const std::string& state);
[[nodiscard]] base::Status remove_authority(const std::string& state, const std::string& name);

}  // namespace mitral::cloud
