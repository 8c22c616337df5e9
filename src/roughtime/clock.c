#include "roughtime/clock.h"

#include <string.h>

enum {
    MS = 1000,
    /* How many parts one part may be wrong in what the clock counts: 200 ppm. */
    DRIFT_PARTS = 5000
};

static bool is_within(uint64_t from_ms, uint64_t now_ms, uint64_t limit_s) {
    return now_ms >= from_ms && now_ms - from_ms <= limit_s * MS;
}

int64_t roughtime_latest_after(int64_t floor_s) {
    return floor_s > 0 ? floor_s + ROUGHTIME_MAX_RISE_S : INT64_C(2713910399);
}

enum roughtime_result roughtime_ask(struct roughtime_clock* clock,
                                    const struct roughtime_crypto* crypto,
                                    const uint8_t key[ROUGHTIME_KEY_SIZE],
                                    const uint8_t nonce[ROUGHTIME_NONCE_SIZE], uint64_t now_ms,
                                    uint8_t packet[ROUGHTIME_REQUEST_SIZE]) {
    const enum roughtime_result result = roughtime_request(crypto, key, nonce, packet, clock->leaf);
    memcpy(clock->nonce, nonce, sizeof clock->nonce);
    clock->asked_ms = now_ms;
    clock->waiting = result == ROUGHTIME_OK;
    return result;
}

enum roughtime_result roughtime_take(struct roughtime_clock* clock,
                                     const struct roughtime_crypto* crypto,
                                     const uint8_t key[ROUGHTIME_KEY_SIZE], const uint8_t* packet,
                                     size_t size, uint64_t now_ms, int64_t floor_s) {
    struct roughtime_time time;
    if (!clock->waiting || !is_within(clock->asked_ms, now_ms, ROUGHTIME_MAX_WAIT_S))
        return ROUGHTIME_TOO_LATE;
    const enum roughtime_result result =
        roughtime_verify(crypto, key, clock->nonce, clock->leaf, packet, size, &time);
    if (result != ROUGHTIME_OK)
        return result;
    if (time.midpoint_s + (int64_t)time.radius_s < floor_s)
        return ROUGHTIME_BEFORE_FLOOR;
    if (time.midpoint_s > roughtime_latest_after(floor_s))
        return ROUGHTIME_TOO_FAR_AHEAD;
    const int64_t earliest = time.midpoint_s - (int64_t)time.radius_s;
    clock->waiting = false;
    clock->known = true;
    clock->earliest_s = earliest > floor_s ? earliest : floor_s;
    clock->taken_ms = now_ms;
    return ROUGHTIME_OK;
}

bool roughtime_now(const struct roughtime_clock* clock, uint64_t now_ms, int64_t* earliest_s) {
    if (!clock->known || !is_within(clock->taken_ms, now_ms, ROUGHTIME_FRESH_S))
        return false;
    const uint64_t passed_ms = now_ms - clock->taken_ms;
    *earliest_s = clock->earliest_s + (int64_t)((passed_ms - passed_ms / DRIFT_PARTS) / MS);
    return true;
}

int64_t roughtime_age_s(const struct roughtime_clock* clock, uint64_t now_ms) {
    if (!clock->known || now_ms < clock->taken_ms)
        return -1;
    return (int64_t)((now_ms - clock->taken_ms) / MS);
}
