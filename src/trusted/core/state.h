/* What the trust zone remembers: three sealed objects, and how they are written. */
#pragma once

#include "azure/sas_core.h"
#include "trusted/core/keys.h"
#include "trusted/core/policy.h"

#ifdef __cplusplus
extern "C" {
#endif

enum custody_state {
    STATE_UNPROVISIONED = 0,
    STATE_READY = 1,
    STATE_QUARANTINED = 2,
    STATE_WIPED = 3
};

struct custody {
    enum custody_state state;
    int64_t time_floor_s; /* these two only rise, across wipes too */
    uint64_t order_counter;
    uint8_t registration_id[MITRAL_SAS_MAX_ID];
    size_t registration_id_size;
    uint8_t station_key[32]; /* the one that provisioned */
    uint8_t policy[POLICY_MAX_SIZE];
    size_t policy_size;
    struct key active;
    struct key pending;
    struct key subject;
    uint8_t unit[64]; /* attestation key of the unit this belongs to */
};

enum { CUSTODY_MAX_ENCODED = 4096 };

bool trusted_has_identity(const struct custody* custody);
/* 0 when it does not fit, which no order can bring about. */
size_t trusted_custody_encode(const struct custody* custody, uint8_t out[CUSTODY_MAX_ENCODED]);
bool trusted_custody_decode(struct span bytes, struct custody* custody);

/* Keys this unit made itself. */
struct unit_keys {
    uint8_t data_root[KEY_SIZE]; /* wraps data keys; a wipe replaces it */
    uint8_t attestation_secret[32];
    uint8_t attestation_key[64]; /* stays for ever: it says who speaks */
};

enum { UNIT_ENCODED = 4 + KEY_SIZE + 32 + 64 };

void trusted_unit_encode(const struct unit_keys* keys, uint8_t out[UNIT_ENCODED]);
bool trusted_unit_decode(struct span bytes, struct unit_keys* keys);

/* Apart from custody, so that the loss of either leaves floor and counter where they were; the
 * higher one counts. */
struct ratchet {
    uint64_t mint_ceiling; /* no more tokens than these were ever made */
    int64_t time_floor_s;
    uint64_t order_counter;
};

enum { RATCHET_ENCODED = 4 + 3 * 8 };

void trusted_ratchet_encode(const struct ratchet* ratchet, uint8_t out[RATCHET_ENCODED]);
bool trusted_ratchet_decode(struct span bytes, struct ratchet* ratchet);

#ifdef __cplusplus
}
#endif
