/* What passes between the vault (normal world) and the Trusted Application: docs/trust-zone.md,
 * "Commands". Every command has the same four parameters, and no other is accepted:
 *
 *   0 memref input: the request, ≤ TRUSTED_MAX_REQUEST bytes     1 memref output: the reply, at
 *   2, 3 none                                                      least TRUSTED_MAX_REPLY bytes
 *
 * A reply is `u8 status | payload`; a payload comes only with TRUSTED_OK. Numbers are big-endian,
 * `text` and `block` are a u16 length and that many bytes. */
#pragma once

#include <stdint.h>

/* 5e0b6a51-9d0c-4d5e-8a53-2f1de6c47a90 */
#define TRUSTED_UUID {0x5e0b6a51, 0x9d0c, 0x4d5e, {0x8a, 0x53, 0x2f, 0x1d, 0xe6, 0xc4, 0x7a, 0x90}}

enum {
    TRUSTED_MAX_REQUEST = 4096, /* bytes */
    TRUSTED_MAX_REPLY = 4096,
    TRUSTED_MINTS_AHEAD = 64 /* by less than this the count of tokens jumps at a start */
};

/* The numbers are those of the operations of the vault's own protocol, which does not carry the
 * last. */
enum trusted_command {
    TRUSTED_MINT_HUB =
        1, /* i64 now | i64 lifetime | text hub | text module -> i64 expiry | block */
    TRUSTED_MINT_REGISTRATION = 2,  /* i64 now | i64 lifetime -> i64 expiry | block token */
    TRUSTED_NEW_DATA_KEY = 3,       /* – -> block key (32) | block wrapped */
    TRUSTED_OPEN_DATA_KEY = 4,      /* block wrapped -> block key (32) */
    TRUSTED_STATUS = 5,             /* – -> u8 state | u64 mints | u64 refusals | i64 time floor |
                                       u32 allowance | u32 longest lifetime | u8 rotation pending |
                                       u8 subject key held | u8 state doubtful (2: the platform
                                       refuses its storage) | u8 time authority known | i64 s since signed time
                                       (-1: none) | u8 station's             key built in | text id scope | text
                                       registration id | text             DPS host */
    TRUSTED_BEGIN_PROVISIONING = 6, /* – -> block statement */
    TRUSTED_EXECUTE_ORDER = 7,      /* station key (32) | block signed order -> – */
    TRUSTED_PSEUDONYM = 8,          /* text patient id | text authority -> 16 bytes */
    TRUSTED_BEGIN_TIME = 9,         /* – -> block request to the time authority */
    TRUSTED_TAKE_TIME = 10,         /* block its answer -> i64 earliest time now, Unix s */
    TRUSTED_CHECKPOINT = 11, /* block report -> block checkpoint (docs/formats/evidence.md) */
    TRUSTED_ATTEST = 12,     /* nonce (32) -> block attestation */
    TRUSTED_VOLUME_KEY = 13  /* block wrapped, or an empty one for a new key -> block key (64) |
                                block wrapped; once in a start */
};

/* The numbers are those of vault::VaultError. */
enum trusted_status {
    TRUSTED_OK = 0,
    TRUSTED_MALFORMED = 2,
    TRUSTED_NOT_PROVISIONED = 4,
    TRUSTED_ALREADY_PROVISIONED = 5,
    TRUSTED_QUARANTINED = 6,
    TRUSTED_NOT_LISTED = 7,
    TRUSTED_LIFETIME_REFUSED = 8,
    TRUSTED_CLOCK_REFUSED = 9,
    TRUSTED_ORDER_MALFORMED = 10,
    TRUSTED_ORDER_NOT_AUTHENTIC = 11,
    TRUSTED_ORDER_NOT_FOR_UNIT = 12,
    TRUSTED_ORDER_REPLAYED = 13,
    TRUSTED_KEY_REFUSED = 14,
    TRUSTED_FAILURE = 16, /* something did not work; not a refusal */
    TRUSTED_STATE_REFUSED = 18,
    TRUSTED_TIME_REFUSED = 19,
    TRUSTED_STATION_REFUSED = 20,
    TRUSTED_TOO_FAR_AHEAD = 21,
    TRUSTED_ALREADY_GIVEN = 22
};

/* The wrapping key of an `optee` statement: X25519 key (32) | unit id (32) | attestation key
 * (64: P-256 x, y) | signature (64: ECDSA r, s) over the domain below, the nonce, the first two. */
#define TRUSTED_STATEMENT_DOMAIN "mitral statement 1" /* its zero byte included */
/* A key on its way: X25519 key of the station (32) | AES-256-GCM ciphertext and tag, nonce 0.
 * Key: HKDF-SHA256(salt = both public keys, the station's first; info = domain below with its zero
 * byte | purpose | SHA-256 of the statement | unit id | registration id). */
#define TRUSTED_TRANSPORT_DOMAIN "mitral transport 1"

enum {
    TRUSTED_UNIT_ID_SIZE = 32,
    TRUSTED_WRAPPING_KEY_SIZE = 32 + TRUSTED_UNIT_ID_SIZE + 64 + 64,
    TRUSTED_PURPOSE_DEVICE = 'd',
    TRUSTED_PURPOSE_SUBJECT = 's'
};

enum { TRUSTED_VOLUME_KEY_SIZE = 64, TRUSTED_VOLUME_WRAPPED_SIZE = 32 + 64 + 16 };
