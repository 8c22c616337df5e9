#include "vault/optee/refusals.hpp"

#include "trusted/protocol.h"
#include "vault/errors.hpp"

namespace mitral::vault::optee {
namespace {

constexpr bool same(trusted_status status, VaultError error) {
    return static_cast<int>(status) == static_cast<int>(error);
}
static_assert(same(TRUSTED_MALFORMED, VaultError::malformed) &&
              same(TRUSTED_NOT_PROVISIONED, VaultError::not_provisioned) &&
              same(TRUSTED_ALREADY_PROVISIONED, VaultError::already_provisioned) &&
              same(TRUSTED_QUARANTINED, VaultError::quarantined) &&
              same(TRUSTED_NOT_LISTED, VaultError::not_listed) &&
              same(TRUSTED_LIFETIME_REFUSED, VaultError::lifetime_refused) &&
              same(TRUSTED_CLOCK_REFUSED, VaultError::clock_refused) &&
              same(TRUSTED_ORDER_MALFORMED, VaultError::order_malformed) &&
              same(TRUSTED_ORDER_NOT_AUTHENTIC, VaultError::order_not_authentic) &&
              same(TRUSTED_ORDER_NOT_FOR_UNIT, VaultError::order_not_for_unit) &&
              same(TRUSTED_ORDER_REPLAYED, VaultError::order_replayed) &&
              same(TRUSTED_KEY_REFUSED, VaultError::key_refused) &&
              same(TRUSTED_FAILURE, VaultError::backend_failure) &&
              same(TRUSTED_STATE_REFUSED, VaultError::state_refused) &&
              same(TRUSTED_TIME_REFUSED, VaultError::time_refused) &&
              same(TRUSTED_STATION_REFUSED, VaultError::station_refused) &&
              same(TRUSTED_TOO_FAR_AHEAD, VaultError::too_far_ahead) &&
              same(TRUSTED_ALREADY_GIVEN, VaultError::already_given));

const char* text_of(std::uint8_t status) {
    switch (status) {
        case TRUSTED_MALFORMED:
            return "the trust zone does not understand the request";
        case TRUSTED_NOT_PROVISIONED:
            return "the unit has no identity, or not this key: provision it at the station first";
        case TRUSTED_ALREADY_PROVISIONED:
            return "the unit has an identity: wipe it by a signed order first";
        case TRUSTED_QUARANTINED:
            return "the unit is in quarantine: no tokens until a signed release";
        case TRUSTED_NOT_LISTED:
            return "the policy lists no such hub, module or time authority";
        case TRUSTED_LIFETIME_REFUSED:
            return "the policy allows no token of this lifetime";
        case TRUSTED_CLOCK_REFUSED:
            return "the clock stands before the signed time floor, or the token would outlive the "
                   "floor by more than the allowance: set the clock, or have a signed time";
        case TRUSTED_ORDER_MALFORMED:
            return "the order does not parse";
        case TRUSTED_ORDER_NOT_AUTHENTIC:
            return "signature is not the authority's over this order";
        case TRUSTED_ORDER_NOT_FOR_UNIT:
            return "the order names another unit";
        case TRUSTED_ORDER_REPLAYED:
            return "the order's counter is not above the last one's, or it does not answer this "
                   "unit's last statement: sign a new order";
        case TRUSTED_KEY_REFUSED:
            return "a wrapped key does not open here: wrap it for the unit's last statement";
        case TRUSTED_STATE_REFUSED:
            return "the order does not fit the present state";
        case TRUSTED_TIME_REFUSED:
            return "no good answer of the policy's time authority to the last question";
        case TRUSTED_TOO_FAR_AHEAD:
            return "a signed time or counter is more than ten years ahead of what was signed "
                   "before: was it signed under a wrong clock?";
        case TRUSTED_ALREADY_GIVEN:
            return "the key of the volume was given at this start, and is given once";
        case TRUSTED_STATION_REFUSED:
            return "the Trusted Application is built for another station than [vault] station_key "
                   "names";
        default:
            return "the trust zone failed";
    }
}

}  // namespace

std::unexpected<base::Error> refusal(std::uint8_t status) {
    const bool known = status == TRUSTED_MALFORMED ||
                       (status >= TRUSTED_NOT_PROVISIONED && status <= TRUSTED_KEY_REFUSED) ||
                       (status >= TRUSTED_STATE_REFUSED && status <= TRUSTED_ALREADY_GIVEN);
    return base::fail(known ? static_cast<VaultError>(status) : VaultError::backend_failure,
                      text_of(status));
}

}  // namespace mitral::vault::optee
