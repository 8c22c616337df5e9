// Private to cloud/api: enrolments and registrations as the DPS service API writes them.
#pragma once

#include "cloud/api/json.hpp"
#include "cloud/dps/registrations.hpp"

namespace mitral::cloud::api {

// "enrollmentGroupId" or "registrationId".
[[nodiscard]] const char* id_member(dps::EnrollmentKind kind);
[[nodiscard]] Json enrollment_json(const dps::Enrollment& enrollment);
// Fails with invalid_argument.
[[nodiscard]] base::Result<dps::Enrollment> read_enrollment(const Json& body,
                                                            dps::EnrollmentKind kind,
                                                            const std::string& id);
[[nodiscard]] Json registration_json(const dps::Registration& registration);

}  // namespace mitral::cloud::api
