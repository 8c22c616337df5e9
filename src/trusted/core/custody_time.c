/* The part of custody that knows the time. */
#include "trusted/core/custody.h"

static enum roughtime_result verdict(enum trusted_zone_result result) {
    switch (result) {
        case ZONE_OK:
            return ROUGHTIME_OK;
        case ZONE_REFUSED:
            return ROUGHTIME_NOT_AUTHENTIC;
        default:
            return ROUGHTIME_FAILED;
    }
}

static enum roughtime_result digest(const void* self, const uint8_t* data, size_t size,
                                    uint8_t out[64]) {
    const struct trusted_zone* zone = self;
    return verdict(zone->sha512(zone->self, data, size, out));
}

static enum roughtime_result verify(const void* self, const uint8_t key[ROUGHTIME_KEY_SIZE],
                                    const uint8_t* data, size_t size, const uint8_t signature[64]) {
    const struct trusted_zone* zone = self;
    return verdict(zone->ed25519_verify(zone->self, key, data, size, signature));
}

static struct roughtime_crypto crypto_of(const struct trusted* trusted) {
    const struct roughtime_crypto crypto = {trusted->zone, digest, verify};
    return crypto;
}

static enum trusted_status refusal_of(enum roughtime_result result) {
    switch (result) {
        case ROUGHTIME_FAILED:
            return TRUSTED_FAILURE;
        case ROUGHTIME_TOO_FAR_AHEAD:
            return TRUSTED_TOO_FAR_AHEAD;
        default:
            return TRUSTED_TIME_REFUSED;
    }
}

/* Fills trusted->policy. */
static enum trusted_status find_authority(struct trusted* trusted) {
    const struct custody* custody = &trusted->custody;
    const struct span policy = {custody->policy, custody->policy_size};
    if (!trusted_has_identity(custody))
        return TRUSTED_NOT_PROVISIONED;
    if (!trusted_policy_parse(policy, &trusted->policy))
        return TRUSTED_FAILURE;
    return trusted->policy.time_key.size > 0 ? TRUSTED_OK : TRUSTED_NOT_LISTED;
}

static bool uptime(const struct trusted* trusted, uint64_t* now_ms) {
    const struct trusted_zone* zone = trusted->zone;
    return zone->uptime(zone->self, now_ms) == ZONE_OK;
}

enum trusted_status trusted_begin_time(struct trusted* trusted,
                                       uint8_t packet[ROUGHTIME_REQUEST_SIZE]) {
    const struct trusted_zone* zone = trusted->zone;
    const struct roughtime_crypto crypto = crypto_of(trusted);
    uint8_t nonce[ROUGHTIME_NONCE_SIZE];
    uint64_t now_ms = 0;
    const enum trusted_status status = find_authority(trusted);
    if (status != TRUSTED_OK)
        return status;
    if (zone->random(zone->self, nonce, sizeof nonce) != ZONE_OK || !uptime(trusted, &now_ms) ||
        roughtime_ask(&trusted->time, &crypto, trusted->policy.time_key.at, nonce, now_ms,
                      packet) != ROUGHTIME_OK)
        return TRUSTED_FAILURE;
    return TRUSTED_OK;
}

/* In memory at once, in storage in steps. */
static enum trusted_status raise_floor(struct trusted* trusted, int64_t floor_s) {
    const int64_t before_s = trusted->custody.time_floor_s;
    trusted->custody.time_floor_s = floor_s;
    if (floor_s - trusted->stored_floor_s < ROUGHTIME_FLOOR_STEP_S ||
        trusted_save_ratchet(trusted, &trusted->custody) == TRUSTED_OK)
        return TRUSTED_OK;
    trusted->custody.time_floor_s = before_s;
    return TRUSTED_FAILURE;
}

enum trusted_status trusted_take_time(struct trusted* trusted, struct span answer,
                                      int64_t* earliest_s) {
    const struct roughtime_crypto crypto = crypto_of(trusted);
    struct roughtime_clock next = trusted->time;
    uint64_t now_ms = 0;
    enum trusted_status status = find_authority(trusted);
    if (status != TRUSTED_OK)
        return status;
    if (!uptime(trusted, &now_ms))
        return TRUSTED_FAILURE;
    const enum roughtime_result result =
        roughtime_take(&next, &crypto, trusted->policy.time_key.at, answer.at, answer.size, now_ms,
                       trusted->custody.time_floor_s);
    if (result != ROUGHTIME_OK)
        return refusal_of(result);
    status = raise_floor(trusted, next.earliest_s);
    if (status != TRUSTED_OK)
        return status;
    trusted->time = next;
    *earliest_s = next.earliest_s;
    return TRUSTED_OK;
}

enum trusted_status trusted_signed_time(const struct trusted* trusted, int64_t* earliest_s) {
    uint64_t now_ms = 0;
    if (!trusted->time.known)
        return TRUSTED_CLOCK_REFUSED;
    if (!uptime(trusted, &now_ms))
        return TRUSTED_FAILURE;
    return roughtime_now(&trusted->time, now_ms, earliest_s) ? TRUSTED_OK : TRUSTED_CLOCK_REFUSED;
}

int64_t trusted_signed_time_age_s(const struct trusted* trusted) {
    uint64_t now_ms = 0;
    if (!trusted->time.known || !uptime(trusted, &now_ms))
        return -1;
    return roughtime_age_s(&trusted->time, now_ms);
}
