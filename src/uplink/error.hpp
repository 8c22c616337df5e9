#pragma once

#include <system_error>
#include <type_traits>

#include "base/result.hpp"

namespace mitral::uplink {

enum class UplinkError {
    protocol_violation = 1,  // the hub sent what a publish-only client never gets: a security event
    refused_by_hub,          // CONNACK with a return code other than 0
    no_answer,               // CONNACK, PUBACK or PINGRESP did not come in time
    link_closed,             // the hub closed the connection
    too_large,               // a packet beyond what the hub or the protocol takes
    malformed_assignment,    // the file enrol left cannot be used
};

[[nodiscard]] const std::error_category& uplink_category() noexcept;
[[nodiscard]] inline std::error_code make_error_code(UplinkError error) noexcept {
    return {static_cast<int>(error), uplink_category()};
}

}  // namespace mitral::uplink

template <>
struct std::is_error_code_enum<mitral::uplink::UplinkError> : std::true_type {};
