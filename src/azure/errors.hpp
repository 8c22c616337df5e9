#pragma once

#include <system_error>
#include <type_traits>

#include "base/result.hpp"

namespace mitral::azure {

enum class AzureError {
    invalid_name = 1,  // a host, id, scope or policy outside its rules
    invalid_lifetime,  // a token's lifetime of zero or above 24 h, or an instant out of range
    malformed_token,   // not a shared access signature
    wrong_signature,   // signed with another key, or changed since
    token_expired,
    not_authorised,    // a good signature for another resource
    malformed_topic,   // a topic, property bag or username that does not follow its format
    malformed_answer,  // a JSON body that does not follow its format
    too_large,         // beyond a stated bound
};

[[nodiscard]] const std::error_category& azure_category() noexcept;
[[nodiscard]] inline std::error_code make_error_code(AzureError error) noexcept {
    return {static_cast<int>(error), azure_category()};
}

}  // namespace mitral::azure

template <>
struct std::is_error_code_enum<mitral::azure::AzureError> : std::true_type {};
