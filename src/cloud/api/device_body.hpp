// Private to cloud/api: a device as the registry's calls write it.
#pragma once

#include "cloud/api/json.hpp"
#include "cloud/hub/registry.hpp"

namespace mitral::cloud::api {

// What stands beside the id. Fails with invalid_argument.
[[nodiscard]] base::Result<hub::Device> read_device(const Json& body, const std::string& id);

}  // namespace mitral::cloud::api
