/* The part of custody that gives the key of the unit's volume. */
#include "trusted/core/custody.h"

static enum trusted_zone_result make(struct trusted* trusted, struct volume* volume) {
    const struct trusted_zone* zone = trusted->zone;
    const enum trusted_zone_result result =
        zone->random(zone->self, volume->key, sizeof volume->key);
    if (result != ZONE_OK)
        return result;
    return trusted_wrap_volume_key(zone, trusted->unit.data_root, volume->key, volume->wrapped);
}

static enum trusted_zone_result open(struct trusted* trusted, struct span wrapped,
                                     struct volume* volume) {
    const enum trusted_zone_result result =
        trusted_open_volume_key(trusted->zone, trusted->unit.data_root, wrapped, volume->key);
    if (result == ZONE_OK)
        trusted_copy(volume->wrapped, wrapped.at, sizeof volume->wrapped);
    return result;
}

enum trusted_status trusted_volume_key(struct trusted* trusted, struct span wrapped,
                                       struct volume* volume) {
    const bool is_new = wrapped.size == 0;
    if (trusted->volume_given)
        return TRUSTED_ALREADY_GIVEN;
    /* The next start might not open it. */
    if (is_new && trusted->doubtful)
        return TRUSTED_STATE_REFUSED;
    const enum trusted_zone_result result =
        is_new ? make(trusted, volume) : open(trusted, wrapped, volume);
    if (result == ZONE_REFUSED)
        return trusted->doubtful ? TRUSTED_STATE_REFUSED : TRUSTED_KEY_REFUSED;
    if (result != ZONE_OK)
        return TRUSTED_FAILURE;
    trusted->volume_given = true;
    return TRUSTED_OK;
}
