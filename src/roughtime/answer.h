/* A Roughtime client (RFC 10049) without I/O, allocation or clock: what it asks, and what of an
 * answer may be believed. In C, for the Trusted Application uses the same code as the vault. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
    ROUGHTIME_NONCE_SIZE = 32,
    ROUGHTIME_KEY_SIZE = 32, /* Ed25519, of the authority */
    ROUGHTIME_HASH_SIZE = 32,
    ROUGHTIME_REQUEST_SIZE = 1024, /* the smallest that is answered over UDP */
    ROUGHTIME_MAX_ANSWER = 2048,
    ROUGHTIME_MAX_RADIUS_S = 60 /* an authority that knows the time no better is of no use */
};

enum roughtime_result {
    ROUGHTIME_OK = 0,
    ROUGHTIME_FAILED = 1,        /* it did not work; nothing follows about the answer */
    ROUGHTIME_MALFORMED = 2,     /* no answer in a version that was asked for */
    ROUGHTIME_NOT_AUTHENTIC = 3, /* not signed by this authority */
    ROUGHTIME_OTHER_REQUEST = 4, /* answers another nonce: replayed, or somebody else's */
    ROUGHTIME_DELEGATION_EXPIRED = 5,
    ROUGHTIME_RADIUS_REFUSED = 6,
    ROUGHTIME_BEFORE_FLOOR = 7, /* the authority's clock stands before what was signed already */
    ROUGHTIME_TOO_LATE = 8,     /* nothing was asked, or too long ago */
    ROUGHTIME_TOO_FAR_AHEAD = 9 /* of what was signed before: roughtime_latest_after() */
};

/* The two primitives; each returns ROUGHTIME_OK or ROUGHTIME_FAILED, `verify` also
 * ROUGHTIME_NOT_AUTHENTIC. */
struct roughtime_crypto {
    const void* self;
    enum roughtime_result (*sha512)(const void* self, const uint8_t* data, size_t size,
                                    uint8_t digest[64]);
    enum roughtime_result (*verify)(const void* self, const uint8_t key[ROUGHTIME_KEY_SIZE],
                                    const uint8_t* data, size_t size, const uint8_t signature[64]);
};

/* The whole packet that asks, and what the authority's Merkle tree holds of it. */
enum roughtime_result roughtime_request(const struct roughtime_crypto* crypto,
                                        const uint8_t key[ROUGHTIME_KEY_SIZE],
                                        const uint8_t nonce[ROUGHTIME_NONCE_SIZE],
                                        uint8_t packet[ROUGHTIME_REQUEST_SIZE],
                                        uint8_t leaf[ROUGHTIME_HASH_SIZE]);

/* True time at the moment of signing was within midpoint ± radius. */
struct roughtime_time {
    int64_t midpoint_s; /* Unix seconds, 0 … year 9999 */
    uint32_t radius_s;
};

/* `packet` is hostile. */
enum roughtime_result roughtime_verify(const struct roughtime_crypto* crypto,
                                       const uint8_t key[ROUGHTIME_KEY_SIZE],
                                       const uint8_t nonce[ROUGHTIME_NONCE_SIZE],
                                       const uint8_t leaf[ROUGHTIME_HASH_SIZE],
                                       const uint8_t* packet, size_t size,
                                       struct roughtime_time* time);

#ifdef __cplusplus
}
#endif
