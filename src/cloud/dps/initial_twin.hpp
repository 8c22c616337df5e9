#pragma once

#include <string_view>

#include "cloud/hub/twins.hpp"

namespace mitral::cloud::dps {

// What the initial twin of an enrolment sets: {"tags":{…},"properties":{"desired":{…}}}, each
// member optional; empty text sets nothing. Fails with invalid_argument.
[[nodiscard]] base::Result<hub::TwinChange> read_initial_twin(std::string_view text);

}  // namespace mitral::cloud::dps
