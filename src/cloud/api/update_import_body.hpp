// Private to cloud/api.
#pragma once

#include "cloud/adu/device_update.hpp"
#include "cloud/json.hpp"

namespace mitral::cloud::api {

// One entry of the body of updates:import. Fails with invalid_argument.
[[nodiscard]] base::Result<adu::ImportItem> read_import_item(const Json& value);

}  // namespace mitral::cloud::api
