// Private to cloud/api: "attestation" of enrolments, as the DPS service API writes it.
#pragma once

#include "cloud/api/json.hpp"
#include "cloud/dps/enrollments.hpp"

namespace mitral::cloud::api {

// Of the body of an enrolment, into it. Fails with invalid_argument.
[[nodiscard]] base::Status read_attestation(const Json& body, dps::Enrollment& enrollment);
// With keys themselves, but only the facts of certificates.
[[nodiscard]] Json attestation_json(const dps::Enrollment& enrollment);

}  // namespace mitral::cloud::api
