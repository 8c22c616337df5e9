#include "vault/errors.hpp"

namespace mitral::vault {
namespace {

const char* describe(VaultError error) {
    switch (error) {
        case VaultError::refused:
            return "refused";
        case VaultError::malformed:
            return "malformed request";
        case VaultError::rate_limited:
            return "too many requests";
        case VaultError::not_provisioned:
            return "not provisioned";
        case VaultError::already_provisioned:
            return "already provisioned";
        case VaultError::quarantined:
            return "quarantined";
        case VaultError::not_listed:
            return "not on the provisioned list";
        case VaultError::lifetime_refused:
            return "token lifetime refused";
        case VaultError::clock_refused:
            return "clock refused";
        case VaultError::order_malformed:
            return "malformed order";
        case VaultError::order_not_authentic:
            return "order is not authentic";
        case VaultError::order_not_for_unit:
            return "order is for another unit";
        case VaultError::order_replayed:
            return "order was used before";
        case VaultError::key_refused:
            return "wrapped key refused";
        case VaultError::backend_unavailable:
            return "trust zone unavailable";
        case VaultError::backend_failure:
            return "trust zone failed";
        case VaultError::vault_unavailable:
            return "vault unavailable";
        case VaultError::state_refused:
            return "order does not fit the state";
        case VaultError::time_refused:
            return "signed time refused";
        case VaultError::station_refused:
            return "station refused";
        case VaultError::too_far_ahead:
            return "too far ahead";
        case VaultError::already_given:
            return "already given";
    }
    return "unknown";
}

}  // namespace

const std::error_category& vault_category() noexcept {
    static const base::RoomCategory<VaultError> category("vault", describe);
    return category;
}

}  // namespace mitral::vault
