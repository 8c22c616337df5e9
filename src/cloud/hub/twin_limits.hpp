// Private to cloud/hub: what may stand in a twin.
#pragma once

#include "cloud/hub/twin_document.hpp"
#include "cloud/json.hpp"

namespace mitral::cloud::hub {

// Keys, strings, integers and depth of a patch or document. Fails with invalid_argument.
[[nodiscard]] base::Status check_twin_values(const Json& object);

[[nodiscard]] std::size_t twin_size(const Json& value);
[[nodiscard]] std::size_t max_size(TwinPart part) noexcept;

}  // namespace mitral::cloud::hub
