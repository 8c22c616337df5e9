/* The part of custody that obeys station and fleet. */
#include "trusted/core/custody.h"

static const char order_domain[] = "mitral order 1"; /* its zero byte included */

/* Who signed comes first: a stranger learns nothing about this unit from the answers. */
static enum trusted_status check_signature(struct trusted* trusted, const uint8_t station_key[32]) {
    const struct trusted_zone* zone = trusted->zone;
    const struct custody* custody = &trusted->custody;
    const struct order* order = &trusted->order;
    const bool known = trusted_has_identity(custody);
    const uint8_t* key = known ? custody->station_key : station_key;
    if (!known && zone->station_key != NULL &&
        !trusted_same_secret(station_key, zone->station_key, 32))
        return TRUSTED_STATION_REFUSED;
    if (order->signer == SIGNER_FLEET) {
        const struct span policy = {custody->policy, custody->policy_size};
        if (!known || !trusted_policy_parse(policy, &trusted->policy) ||
            trusted->policy.fleet_key.size == 0)
            return TRUSTED_ORDER_NOT_AUTHENTIC;
        key = trusted->policy.fleet_key.at;
    }
    struct writer message = trusted_writer(trusted->work, sizeof trusted->work);
    trusted_put(&message, order_domain, sizeof order_domain);
    trusted_put(&message, order->body.at, order->body.size);
    const enum trusted_zone_result result =
        zone->ed25519_verify(zone->self, key, trusted->work, message.used, order->signature);
    if (result == ZONE_REFUSED)
        return TRUSTED_ORDER_NOT_AUTHENTIC;
    return result == ZONE_OK ? TRUSTED_OK : TRUSTED_FAILURE;
}

/* Neither floor nor counter ever falls, wipes included: a clock that stood wrong when an order was
 * signed must not end the unit. Counters of stations are milliseconds since 1970. */
static bool is_too_far_ahead(const struct custody* custody, const struct order* order) {
    const int64_t latest_s = roughtime_latest_after(custody->time_floor_s);
    return order->time_s > latest_s ||
           (order->counter / 1000 > (uint64_t)latest_s &&
            order->counter - custody->order_counter > ORDER_COUNTER_STEP);
}

static enum trusted_status check_fresh(const struct trusted* trusted) {
    const struct custody* custody = &trusted->custody;
    const struct order* order = &trusted->order;
    const struct span id = {custody->registration_id, custody->registration_id_size};
    if (order->counter <= custody->order_counter)
        return TRUSTED_ORDER_REPLAYED;
    if (is_too_far_ahead(custody, order))
        return TRUSTED_TOO_FAR_AHEAD;
    if (order->kind == ORDER_PROVISION) {
        if (trusted_has_identity(custody))
            return TRUSTED_ALREADY_PROVISIONED;
        if (!trusted->statement.good_for_provisioning ||
            !trusted_same_secret(trusted->statement.nonce, order->nonce.at, ORDER_NONCE_SIZE))
            return TRUSTED_ORDER_REPLAYED;
        return TRUSTED_OK;
    }
    if (!trusted_has_identity(custody))
        return TRUSTED_NOT_PROVISIONED;
    return trusted_same(order->registration_id, id) ? TRUSTED_OK : TRUSTED_ORDER_NOT_FOR_UNIT;
}

static enum trusted_status open_key(struct trusted* trusted, uint8_t purpose, struct span blob,
                                    struct key* key) {
    const enum trusted_zone_result result =
        trusted_statement_open(trusted->zone, &trusted->statement, trusted->unit_id, purpose,
                               trusted->order.registration_id, blob, key);
    if (result == ZONE_REFUSED)
        return TRUSTED_KEY_REFUSED;
    return result == ZONE_OK ? TRUSTED_OK : TRUSTED_FAILURE;
}

/* One key is enough: module keys are derived here. */
static enum trusted_status adopt_device_key(struct trusted* trusted, struct key* key) {
    if (trusted->order.key_count != 1)
        return TRUSTED_KEY_REFUSED;
    return open_key(trusted, TRUSTED_PURPOSE_DEVICE, trusted->order.device_key, key);
}

/* In a slot of its own: a rotation of the device's key leaves pseudonyms as they are, and no token
 * is ever signed with this one. */
static enum trusted_status adopt_subject_key(struct trusted* trusted) {
    if (trusted->order.subject_key.size == 0)
        return TRUSTED_OK;
    return open_key(trusted, TRUSTED_PURPOSE_SUBJECT, trusted->order.subject_key,
                    &trusted->next.subject);
}

static void take_policy(struct trusted* trusted) {
    const struct span policy = trusted->order.policy_bytes;
    trusted_copy(trusted->next.policy, policy.at, policy.size);
    trusted->next.policy_size = policy.size;
}

static enum trusted_status provision(struct trusted* trusted, const uint8_t station_key[32]) {
    struct custody* next = &trusted->next;
    const struct span id = trusted->order.registration_id;
    /* Whatever happens now, this statement is used up. */
    trusted->statement.good_for_provisioning = false;
    enum trusted_status status = adopt_device_key(trusted, &next->active);
    if (status == TRUSTED_OK)
        status = adopt_subject_key(trusted);
    if (status != TRUSTED_OK)
        return status;
    next->state = STATE_READY;
    trusted_copy(next->registration_id, id.at, id.size);
    next->registration_id_size = id.size;
    trusted_copy(next->station_key, station_key, sizeof next->station_key);
    take_policy(trusted);
    return TRUSTED_OK;
}

static enum trusted_status confirm_rotation(struct custody* next) {
    if (next->pending.size == 0)
        return TRUSTED_STATE_REFUSED;
    next->active = next->pending;
    trusted_wipe(&next->pending, sizeof next->pending);
    return TRUSTED_OK;
}

static enum trusted_status replace_policy(struct trusted* trusted) {
    const enum trusted_status status = adopt_subject_key(trusted);
    if (status == TRUSTED_OK)
        take_policy(trusted);
    return status;
}

static enum trusted_status release(struct custody* next) {
    if (next->state != STATE_QUARANTINED)
        return TRUSTED_STATE_REFUSED;
    next->state = STATE_READY;
    return TRUSTED_OK;
}

/* The data keys go before the record that they are gone: after a power cut between the two the
 * order can be given again, while the other way round keys would outlive their wipe. */
static enum trusted_status wipe(struct trusted* trusted) {
    const struct trusted_zone* zone = trusted->zone;
    struct custody* next = &trusted->next;
    const int64_t floor = next->time_floor_s;
    const uint64_t counter = next->order_counter;
    struct unit_keys unit = trusted->unit;
    enum trusted_status status = TRUSTED_FAILURE;
    if (zone->random(zone->self, unit.data_root, sizeof unit.data_root) == ZONE_OK)
        status = trusted_save_unit(trusted, &unit);
    if (status == TRUSTED_OK)
        trusted->unit = unit;
    trusted_wipe(&unit, sizeof unit);
    if (status != TRUSTED_OK)
        return status;
    trusted_statement_void(&trusted->statement);
    trusted_wipe(next, sizeof *next);
    next->state = STATE_WIPED;
    next->time_floor_s = floor;
    next->order_counter = counter;
    return TRUSTED_OK;
}

static enum trusted_status apply(struct trusted* trusted, const uint8_t station_key[32]) {
    switch (trusted->order.kind) {
        case ORDER_PROVISION:
            return provision(trusted, station_key);
        case ORDER_ROTATE:
            return adopt_device_key(trusted, &trusted->next.pending);
        case ORDER_CONFIRM_ROTATION:
            return confirm_rotation(&trusted->next);
        case ORDER_POLICY:
            return replace_policy(trusted);
        case ORDER_QUARANTINE:
            trusted->next.state = STATE_QUARANTINED;
            return TRUSTED_OK;
        case ORDER_RELEASE:
            return release(&trusted->next);
        case ORDER_WIPE:
            return wipe(trusted);
        default:
            return TRUSTED_ORDER_MALFORMED;
    }
}

/* From here on it holds. */
static void take_up(struct trusted* trusted) {
    const struct order* order = &trusted->order;
    trusted->custody = trusted->next;
    /* It may have come from an authority that is not trusted any more. */
    if (order->kind == ORDER_PROVISION || order->kind == ORDER_POLICY || order->kind == ORDER_WIPE)
        trusted_wipe(&trusted->time, sizeof trusted->time);
    if (order->kind == ORDER_PROVISION)
        trusted->doubtful = false;
    /* The ephemeral key did its work: who reads this memory later cannot open the order. */
    if (order->key_count > 0)
        trusted_statement_void(&trusted->statement);
}

/* A station's order writes over keys that cannot be read; nothing less does. The ratchet comes
 * last: one that is behind custody does no harm, one that is ahead speaks of custody that was lost.
 */
static enum trusted_status store(struct trusted* trusted) {
    struct custody* next = &trusted->next;
    enum trusted_status status = TRUSTED_OK;
    if (!trusted->unit_stored)
        status = trusted_save_unit(trusted, &trusted->unit);
    if (status == TRUSTED_OK) {
        trusted->unit_stored = true;
        trusted_copy(next->unit, trusted->unit.attestation_key, sizeof next->unit);
        status = trusted_save(trusted, next);
    }
    if (status != TRUSTED_OK)
        return status;
    take_up(trusted);
    return trusted_save_ratchet(trusted, &trusted->custody);
}

static enum trusted_status obey(struct trusted* trusted, const uint8_t station_key[32]) {
    const struct order* order = &trusted->order;
    struct custody* next = &trusted->next;
    *next = trusted->custody;
    next->order_counter = order->counter;
    if (order->time_s > next->time_floor_s)
        next->time_floor_s = order->time_s;
    const enum trusted_status status = apply(trusted, station_key);
    return status == TRUSTED_OK ? store(trusted) : status;
}

enum trusted_status trusted_execute(struct trusted* trusted, const uint8_t station_key[32],
                                    struct span signed_order) {
    if (!trusted_order_parse(signed_order, &trusted->order))
        return TRUSTED_ORDER_MALFORMED;
    enum trusted_status status = check_signature(trusted, station_key);
    if (status == TRUSTED_OK)
        status = check_fresh(trusted);
    if (status == TRUSTED_OK)
        status = obey(trusted, station_key);
    trusted_wipe(&trusted->next, sizeof trusted->next);
    return status;
}
