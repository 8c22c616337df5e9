#pragma once

#include <system_error>
#include <type_traits>

#include "base/result.hpp"

namespace mitral::base {

enum class BaseError {
    malformed = 1,    // input that does not follow its format
    too_large,        // input or output beyond a stated bound
    invalid_setting,  // a configuration value that cannot be used
    crypto_failure,   // the library refused an operation that should work
    not_authentic,    // a signature or an authentication tag does not verify
    peer_closed,      // the other side went away
    timed_out,
    not_supported,  // the kernel or the machine lacks what is asked for
};

[[nodiscard]] const std::error_category& base_category() noexcept;
[[nodiscard]] inline std::error_code make_error_code(BaseError error) noexcept {
    return {static_cast<int>(error), base_category()};
}

}  // namespace mitral::base

template <>
struct std::is_error_code_enum<mitral::base::BaseError> : std::true_type {};
