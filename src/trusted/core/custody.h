/* The rules of custody, where the keys are: who may order what, which tokens may exist and for how
 * long. The same rules as vault/custody, which serves trust zones that only keep keys; one test
 * suite (tests/vault/custody_suite) runs over both. Single-threaded, no allocation. */
#pragma once

#include "attest/evidence.h"
#include "roughtime/clock.h"
#include "trusted/core/order.h"
#include "trusted/core/statement.h"
#include "trusted/core/zone.h"
#include "trusted/protocol.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Read at the first evidence of a start. */
struct evidence_progress {
    bool begun;
    uint8_t boot_id[EVIDENCE_BOOT_ID_SIZE];
    uint64_t last; /* number of the last checkpoint, or one above it */
    uint64_t reserved;
};

struct trusted {
    const struct trusted_zone* zone;
    uint8_t unit_id[TRUSTED_UNIT_ID_SIZE];
    struct unit_keys unit;
    bool unit_stored; /* false: they are in memory only, what is stored cannot be read */
    struct custody custody;
    uint64_t mints;
    uint64_t mint_ceiling; /* as stored: mints may rise to it without another write */
    uint64_t refusals;     /* since the start */
    bool doubtful;         /* what was stored was refused at this start */
    bool storage_refused;  /* … as a whole, by the platform */
    bool volume_given;     /* its key, at this start */
    struct statement statement;
    struct roughtime_clock time; /* signed time, in memory only */
    int64_t stored_floor_s;
    struct evidence_progress evidence;

    /* Too large for a stack of the secure world; void between calls. */
    struct custody next;
    struct order order;
    struct policy policy;
    uint8_t work[CUSTODY_MAX_ENCODED];
    char resource[MITRAL_SAS_MAX_RESOURCE];
    char encoded[MITRAL_SAS_MAX_ENCODED];
    char to_sign[MITRAL_SAS_MAX_TO_SIGN];
};

/* Reads the sealed objects; on a new unit makes its keys. The zone must outlive the custody. */
enum trusted_status trusted_open(struct trusted* trusted, const struct trusted_zone* zone);
void trusted_close(struct trusted* trusted); /* wipes it */

/* `now_s` is what the normal world claims: bounded by floor and allowance, never believed further.
 * A clock that does not know the time claims a negative one. */
struct token_request {
    int64_t now_s;
    int64_t lifetime_s;
    struct span hub;    /* none: a token for DPS */
    struct span module; /* none: the device's own */
};
struct token {
    int64_t expiry_s;
    char text[MITRAL_SAS_MAX_TOKEN];
    size_t size;
};
enum trusted_status trusted_mint_hub(struct trusted* trusted, const struct token_request* request,
                                     struct token* token);
enum trusted_status trusted_mint_registration(struct trusted* trusted,
                                              const struct token_request* request,
                                              struct token* token);

/* Asks the policy's time authority: a packet to carry there, and its answer. A good answer raises
 * the floor, and tokens are judged by it until it is stale (roughtime/clock.h). */
enum trusted_status trusted_begin_time(struct trusted* trusted,
                                       uint8_t packet[ROUGHTIME_REQUEST_SIZE]);
enum trusted_status trusted_take_time(struct trusted* trusted, struct span answer,
                                      int64_t* earliest_s);
/* TRUSTED_CLOCK_REFUSED: there is no signed time, or none that is fresh. */
enum trusted_status trusted_signed_time(const struct trusted* trusted, int64_t* earliest_s);
/* -1: none since the start. */
int64_t trusted_signed_time_age_s(const struct trusted* trusted);

/* In every state: a security reaction never stops acquisition. */
enum trusted_status trusted_new_data_key(struct trusted* trusted, uint8_t key[KEY_SIZE],
                                         uint8_t wrapped[DATA_KEY_WRAPPED_SIZE]);
enum trusted_status trusted_give_data_key(struct trusted* trusted, struct span wrapped,
                                          uint8_t key[KEY_SIZE]);
/* The key of the unit's volume: `wrapped`, opened, or with none a new one. Once in a start, in
 * every state: who comes after the start's own opener comes too late. TRUSTED_KEY_REFUSED: what was
 * wrapped is lost for good. TRUSTED_STATE_REFUSED: it may open again when the state is not in
 * doubt; until then none is made. */
struct volume {
    uint8_t key[VOLUME_KEY_SIZE];
    uint8_t wrapped[VOLUME_KEY_WRAPPED_SIZE];
};
enum trusted_status trusted_volume_key(struct trusted* trusted, struct span wrapped,
                                       struct volume* volume);
enum trusted_status trusted_pseudonym(struct trusted* trusted, struct span id,
                                      struct span authority, uint8_t pseudonym[16]);
enum trusted_status trusted_begin_provisioning(struct trusted* trusted,
                                               uint8_t statement[STATEMENT_SIZE]);
/* `station_key` may provision a unit without identity, if it is the zone's own; then the key that
 * did it stays the station's until a wipe, whatever comes here. */
enum trusted_status trusted_execute(struct trusted* trusted, const uint8_t station_key[32],
                                    struct span signed_order);

/* Signed evidence of the state (attest/evidence.h), in every state. Checkpoints are numbered, no
 * number comes twice. TRUSTED_MALFORMED: that is no report. */
enum trusted_status trusted_checkpoint(struct trusted* trusted, struct span report,
                                       uint8_t evidence[EVIDENCE_MAX_SIZE], size_t* size);
enum trusted_status trusted_attest(struct trusted* trusted,
                                   const uint8_t nonce[EVIDENCE_NONCE_SIZE],
                                   uint8_t evidence[EVIDENCE_MAX_SIZE], size_t* size);

/* For the parts of custody alone. */
enum trusted_status trusted_save(struct trusted* trusted, const struct custody* next);
/* Floor and order counter of `custody`, and the count of tokens. */
enum trusted_status trusted_save_ratchet(struct trusted* trusted, const struct custody* custody);
enum trusted_status trusted_save_unit(struct trusted* trusted, const struct unit_keys* unit);

#ifdef __cplusplus
}
#endif
