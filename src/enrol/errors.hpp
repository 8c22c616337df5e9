#pragma once

#include <system_error>
#include <type_traits>

#include "base/result.hpp"

namespace mitral::enrol {

// Temporary ones are worth another run; the others need a person (see is_temporary()).
enum class EnrolError {
    not_provisioned = 1,  // the vault holds no identity that may register
    unauthorised,         // DPS does not accept this unit's token
    unknown_scope,        // DPS does not know the id scope or the registration
    disabled,             // the enrolment is switched off
    failed,               // DPS could not assign a hub
    redirected,           // an HTTP redirect: DPS never sends one
    unexpected_status,    // an HTTP status this protocol does not have
    malformed_answer,     // an answer that does not follow the protocol
    foreign_hub,          // a hub that is not on the unit's signed list
    foreign_identity,     // an assignment for another device
    unsupported_profile,  // a hub that speaks another generation of the protocol
    throttled,            // DPS says: later
    service_unavailable,  // DPS answers 5xx
    out_of_time,          // the bound on the whole run was reached
};

[[nodiscard]] const std::error_category& enrol_category() noexcept;
[[nodiscard]] inline std::error_code make_error_code(EnrolError error) noexcept {
    return {static_cast<int>(error), enrol_category()};
}

// The same run may succeed later, with nothing changed on this unit.
[[nodiscard]] bool is_temporary(const std::error_code& code) noexcept;

}  // namespace mitral::enrol

template <>
struct std::is_error_code_enum<mitral::enrol::EnrolError> : std::true_type {};
