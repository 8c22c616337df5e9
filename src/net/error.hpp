#pragma once

#include <system_error>
#include <type_traits>

namespace mitral::net {

enum class NetError {
    name_not_resolved = 1,
    unreachable,
    proxy_refused,
    trust_store,       // the pinned roots cannot be used
    untrusted_issuer,  // the chain does not end in a pinned root
    self_signed,
    name_mismatch,
    certificate_expired,
    certificate_not_yet_valid,
    certificate_invalid,
    no_certificate,    // the client shows none, and one is required
    protocol_version,  // the other side offers no version we accept
    no_shared_cipher,
    handshake_failed,
    connection_lost,
};

[[nodiscard]] const std::error_category& net_category() noexcept;
[[nodiscard]] inline std::error_code make_error_code(NetError error) noexcept {
    return {static_cast<int>(error), net_category()};
}

}  // namespace mitral::net

template <>
struct std::is_error_code_enum<mitral::net::NetError> : std::true_type {};
