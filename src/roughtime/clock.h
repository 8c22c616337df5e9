/* Signed time, carried on by a clock that only knows how long it runs: one rule for every trust
 * zone. All times of that clock are milliseconds since some start, and never fall. */
#pragma once

#include <stdbool.h>

#include "roughtime/answer.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
    ROUGHTIME_MAX_WAIT_S = 60,         /* between question and answer */
    ROUGHTIME_FRESH_S = 24 * 3600,     /* then the time is not known any more */
    ROUGHTIME_FLOOR_STEP_S = 6 * 3600, /* a stored floor is raised in such steps: flash wears out */
    /* One signature raises a floor by no more: a clock that stands far wrong once must not end a
     * unit, for a floor never falls. So long, ten years, may a unit lie without any signed time. */
    ROUGHTIME_MAX_RISE_S = 10 * 366 * 24 * 3600
};

/* The latest time that is taken where this one was signed last, Unix seconds. 0, none was: the end
 * of 2055. */
int64_t roughtime_latest_after(int64_t floor_s);

struct roughtime_clock {
    bool waiting;
    uint8_t nonce[ROUGHTIME_NONCE_SIZE];
    uint8_t leaf[ROUGHTIME_HASH_SIZE];
    uint64_t asked_ms;

    bool known;
    int64_t earliest_s; /* it was not earlier than this when the answer came; Unix seconds */
    uint64_t taken_ms;
};

/* A new question; voids the one before. `nonce` is fresh and random. */
enum roughtime_result roughtime_ask(struct roughtime_clock* clock,
                                    const struct roughtime_crypto* crypto,
                                    const uint8_t key[ROUGHTIME_KEY_SIZE],
                                    const uint8_t nonce[ROUGHTIME_NONCE_SIZE], uint64_t now_ms,
                                    uint8_t packet[ROUGHTIME_REQUEST_SIZE]);

/* A good answer is taken once. One that is refused leaves the question open: a stranger's datagram
 * must not spoil it. `floor_s`: Unix seconds that were signed before. */
enum roughtime_result roughtime_take(struct roughtime_clock* clock,
                                     const struct roughtime_crypto* crypto,
                                     const uint8_t key[ROUGHTIME_KEY_SIZE], const uint8_t* packet,
                                     size_t size, uint64_t now_ms, int64_t floor_s);

/* It is not earlier than `earliest_s` now. False: no signed time, or none that is fresh. */
bool roughtime_now(const struct roughtime_clock* clock, uint64_t now_ms, int64_t* earliest_s);

/* Seconds since the answer came; -1: none did. */
int64_t roughtime_age_s(const struct roughtime_clock* clock, uint64_t now_ms);

#ifdef __cplusplus
}
#endif
