#pragma once

#include <cstdint>
#include <string>

#include "base/result.hpp"

namespace mitral::cloud {

// One request to the admin port of a running server on this machine; blocks for 10 s at most.
// `path` with its query, encoded. Returns the body of a 200; another status is an error with the
// server's words (CloudError::invalid_argument).
[[nodiscard]] base::Result<std::string> ask_admin(std::uint16_t port, const std::string& method,
                                                  const std::string& path);

}  // namespace mitral::cloud
