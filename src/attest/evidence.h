/* What a trust zone signs about itself: checkpoints and attestations, byte by byte as
 * docs/formats/evidence.md has them. Every zone writes them by this code: the Trusted Application,
 * and the vault for `software` and `tpm`. No allocation, no I/O. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Evidence begins with one of these, the zero byte included: no other thing the attestation key
 * signs begins so. */
#define EVIDENCE_CHECKPOINT_LABEL "mitral checkpoint 1"
#define EVIDENCE_ATTESTATION_LABEL "mitral attestation 1"

enum {
    EVIDENCE_KEY_SIZE = 64,       /* P-256: x | y */
    EVIDENCE_SIGNATURE_SIZE = 64, /* ECDSA over SHA-256: r | s */
    EVIDENCE_UNIT_ID_SIZE = 32,
    EVIDENCE_BOOT_ID_SIZE = 16,
    EVIDENCE_NONCE_SIZE = 32,
    EVIDENCE_HASH_SIZE = 32,
    EVIDENCE_MAX_ID = 128,       /* of a registration id */
    EVIDENCE_MAX_LANE_NAME = 32, /* a-z 0-9 - / */
    EVIDENCE_MAX_LANES = 16,
    EVIDENCE_LANE_NUMBERS = 8 + 8 + 8 + EVIDENCE_HASH_SIZE + 8,
    EVIDENCE_MAX_REPORT = 8 + EVIDENCE_HASH_SIZE + 1 +
                          EVIDENCE_MAX_LANES * (2 + EVIDENCE_MAX_LANE_NAME + EVIDENCE_LANE_NUMBERS),
    EVIDENCE_MAX_SIZE = sizeof EVIDENCE_ATTESTATION_LABEL + 256 + EVIDENCE_MAX_ID +
                        EVIDENCE_NONCE_SIZE + EVIDENCE_MAX_REPORT + EVIDENCE_SIGNATURE_SIZE,
    /* Numbers of checkpoints are taken from storage in steps, for flash wears out: a start skips
     * at most this many. */
    EVIDENCE_COUNTER_STEP = 256
};

/* What the zone itself vouches for. */
struct evidence_state {
    uint8_t attestation_key[EVIDENCE_KEY_SIZE];
    uint8_t unit_id[EVIDENCE_UNIT_ID_SIZE];
    uint8_t boot_id[EVIDENCE_BOOT_ID_SIZE]; /* random, drawn once in each start of the zone */
    uint64_t checkpoint; /* number of this checkpoint; in an attestation, of no later one */
    uint64_t mints;
    uint64_t refusals; /* since the start */
    int64_t time_floor_s;
    int64_t signed_time_age_s; /* -1: none since the start */
    uint64_t order_counter;
    uint32_t epoch;  /* security epoch; 0 until there is one */
    uint8_t custody; /* 0 unprovisioned, 1 ready, 2 quarantined, 3 wiped */
    bool doubtful;   /* what was stored was refused at this start */
    const uint8_t* registration_id;
    size_t registration_id_size; /* ≤ EVIDENCE_MAX_ID */
};

/* What the normal world says of its log and lanes: exactly one report, in its one encoding. The
 * zone signs that this was said, not that it is true. */
bool evidence_is_report(const uint8_t* report, size_t size);

/* Everything that is signed, EVIDENCE_SIGNATURE_SIZE less than `out` takes; 0 when the state or
 * the report is none. The signature is appended by the caller. */
size_t evidence_write_checkpoint(const struct evidence_state* state, const uint8_t* report,
                                 size_t report_size, uint8_t out[EVIDENCE_MAX_SIZE]);
size_t evidence_write_attestation(const struct evidence_state* state,
                                  const uint8_t nonce[EVIDENCE_NONCE_SIZE],
                                  uint8_t out[EVIDENCE_MAX_SIZE]);

#ifdef __cplusplus
}
#endif
