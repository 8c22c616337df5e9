#pragma once

#include <cstdint>
#include <string>

#include "base/result.hpp"

namespace mitral::cloud {

// One request to the admin port of a running server on this machine; blocks for 10 s at most.
// `path` with its query, encoded. Returns the body of a 2xx; another status is an error with the
// server's words (CloudError::invalid_argument).
[[nodiscard]] base::Result<std::string> ask_admin(std::uint16_t port, const std::string& method,
                                                  const std::string& path,
                                                  const std::string& body = {});

// The same for the server that runs on this state directory. A refusal's text is the error's; says
// so when no server runs.
[[nodiscard]] base::Result<std::string> ask_server(const std::string& state,
                                                   const std::string& method,
                                                   const std::string& path,
                                                   const std::string& body = {});

}  // namespace mitral::cloud
