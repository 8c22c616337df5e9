// Private to cloud/api: "authentication" of devices and modules, as the registry's calls write it.
#pragma once

#include "cloud/api/json.hpp"
#include "cloud/hub/authentication.hpp"

namespace mitral::cloud::api {

// Of the body of a device or module; what it leaves out is empty. Fails with not_supported.
[[nodiscard]] base::Result<hub::Authentication> read_authentication(const Json& body);
[[nodiscard]] Json authentication_json(const hub::Authentication& authentication);
[[nodiscard]] Json thumbprints_json(const std::string& primary, const std::string& secondary);

}  // namespace mitral::cloud::api
