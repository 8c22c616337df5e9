#pragma once

#include <system_error>
#include <type_traits>

#include "base/result.hpp"

namespace mitral::vault {

// Also the status byte of a reply (docs/formats/vault-protocol.md): numbers are part of the
// protocol.
enum class VaultError {
    refused = 1,              // this peer may not do this; says no more on purpose
    malformed = 2,            // a request that does not follow the protocol
    rate_limited = 3,         // more requests than this peer's share; try later
    not_provisioned = 4,      // the unit has no identity yet, or was wiped
    already_provisioned = 5,  // an identity is given once; a signed wipe comes first
    quarantined = 6,          // no tokens until a signed release
    not_listed = 7,           // hub or module is not on the provisioned list
    lifetime_refused = 8,     // zero, negative or above the cap
    clock_refused = 9,        // implausible, before the floor, or beyond its allowance
    order_malformed = 10,
    order_not_authentic = 11,  // wrong signer, or altered
    order_not_for_unit = 12,   // names another registration id
    order_replayed = 13,       // nonce or counter was used before
    key_refused = 14,          // a wrapped key this trust zone cannot open
    backend_unavailable = 15,  // the trust zone does not answer; try again
    backend_failure = 16,
    vault_unavailable = 17,  // client side: no daemon answers on the socket
    state_refused = 18,      // the order does not fit the present state
    time_refused = 19,       // no good answer of the time authority to the last question
    station_refused = 20,    // a trust zone that knows its station takes no other's orders
    too_far_ahead = 21,      // a signed time or counter, of what was signed before
    already_given = 22,      // the key of the unit's volume, once in a start
};

// True when the rules said no; false when something did not work.
[[nodiscard]] constexpr bool is_refusal(VaultError error) noexcept {
    return error != VaultError::backend_unavailable && error != VaultError::backend_failure &&
           error != VaultError::vault_unavailable;
}

[[nodiscard]] const std::error_category& vault_category() noexcept;
[[nodiscard]] inline std::error_code make_error_code(VaultError error) noexcept {
    return {static_cast<int>(error), vault_category()};
}

}  // namespace mitral::vault

template <>
struct std::is_error_code_enum<mitral::vault::VaultError> : std::true_type {};
