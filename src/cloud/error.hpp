#pragma once

#include <system_error>
#include <type_traits>

namespace mitral::cloud {

enum class CloudError {
    malformed_packet = 1,  // bytes that do not follow MQTT 3.1.1 or HTTP/1.1
    protocol_violation,    // well-formed, but not allowed here (a second CONNECT, a foreign topic)
    too_large,
    not_authorised,
    not_found,
    already_exists,
    stale_etag,
    invalid_argument,
    throttled,  // by a fault on demand
    storage,    // the database or the message log cannot be read or written
    certificate,
    not_online,  // no client is there that listens
    timed_out,
    queue_full,
    not_supported,  // Azure has it, this does not; the context is its name
};

[[nodiscard]] const std::error_category& cloud_category() noexcept;
[[nodiscard]] inline std::error_code make_error_code(CloudError error) noexcept {
    return {static_cast<int>(error), cloud_category()};
}

}  // namespace mitral::cloud

template <>
struct std::is_error_code_enum<mitral::cloud::CloudError> : std::true_type {};
