// What each answer of DPS means for this unit, and what a person can do about it.
#pragma once

#include <string>

#include "azure/dps.hpp"
#include "base/result.hpp"
#include "enrol/https.hpp"

namespace mitral::enrol {

// A registration answer from a 2xx; every other status as the error it stands for.
[[nodiscard]] base::Result<azure::RegistrationAnswer> read_answer(const HttpResponse& response);

// Fails unless the state is `assigned`, by a hub generation this release speaks.
[[nodiscard]] base::Status judge_state(const azure::RegistrationAnswer& answer);
// The vault mints for the provisioned identity only: an assignment for another is of no use, or a
// trick.
[[nodiscard]] base::Status judge_identity(const azure::RegistrationAnswer& answer,
                                          const std::string& registration_id);

[[nodiscard]] std::unexpected<base::Error> foreign_hub(const std::string& hub);

}  // namespace mitral::enrol
