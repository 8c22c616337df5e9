/* What the rules of custody stand on: a table that each platform fills (optee/, and host/ for
 * tests). No function keeps a pointer it was given. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum trusted_zone_result {
    ZONE_OK = 0,
    ZONE_FAILED = 1,         /* it did not work; nothing follows about the input */
    ZONE_REFUSED = 2,        /* a bad signature, a ciphertext or an object that is not authentic */
    ZONE_MISSING = 3,        /* no such object */
    ZONE_STORAGE_REFUSED = 4 /* the platform takes none of what is stored: gone, or older than it
                                may be; nothing can be written either */
};

/* Sealed objects: confidential and authentic to this Trusted Application on this unit. Whether an
 * older one is noticed depends on the platform (docs/trust-zone.md, "Roll-back"). */
enum trusted_object {
    OBJECT_UNIT = 1,       /* the unit's own keys, made here */
    OBJECT_CUSTODY = 2,    /* identity, policy, the keys that came from the station */
    OBJECT_RATCHET = 3,    /* what only rises: count of tokens, time floor, order counter */
    OBJECT_CHECKPOINTS = 4 /* how far numbers of checkpoints are reserved */
};

enum { ZONE_NONCE_SIZE = 12, ZONE_TAG_SIZE = 16 };

struct trusted_zone {
    void* self;
    /* Ed25519, 32 bytes: the one station that may give a unit its identity. NULL: any, for
     * development. */
    const uint8_t* station_key;

    enum trusted_zone_result (*random)(void* self, uint8_t* out, size_t size);
    enum trusted_zone_result (*sha256)(void* self, const uint8_t* data, size_t size,
                                       uint8_t digest[32]);
    enum trusted_zone_result (*sha512)(void* self, const uint8_t* data, size_t size,
                                       uint8_t digest[64]);
    enum trusted_zone_result (*hmac_sha256)(void* self, const uint8_t* key, size_t key_size,
                                            const uint8_t* data, size_t size, uint8_t mac[32]);
    enum trusted_zone_result (*ed25519_verify)(void* self, const uint8_t key[32],
                                               const uint8_t* data, size_t size,
                                               const uint8_t signature[64]);
    enum trusted_zone_result (*x25519_new)(void* self, uint8_t secret[32], uint8_t key[32]);
    /* RFC 7748: any 32 bytes are a key, so there is no curve to leave. */
    enum trusted_zone_result (*x25519_agree)(void* self, const uint8_t secret[32],
                                             const uint8_t own[32], const uint8_t peer[32],
                                             uint8_t shared[32]);
    enum trusted_zone_result (*p256_new)(void* self, uint8_t secret[32], uint8_t key[64]);
    enum trusted_zone_result (*p256_sign)(void* self, const uint8_t secret[32],
                                          const uint8_t key[64], const uint8_t digest[32],
                                          uint8_t signature[64]);

    /* AES-256-GCM. `out` takes size + ZONE_TAG_SIZE bytes; may not overlap `plain`. */
    enum trusted_zone_result (*seal)(void* self, const uint8_t key[32],
                                     const uint8_t nonce[ZONE_NONCE_SIZE], const uint8_t* plain,
                                     size_t size, uint8_t* out);
    /* `size` counts the tag; `out` takes size - ZONE_TAG_SIZE bytes, void unless ZONE_OK. */
    enum trusted_zone_result (*open)(void* self, const uint8_t key[32],
                                     const uint8_t nonce[ZONE_NONCE_SIZE], const uint8_t* sealed,
                                     size_t size, uint8_t* out);

    /* ZONE_REFUSED: it is there and not ours, or not whole, or larger than `capacity`. */
    enum trusted_zone_result (*load)(void* self, enum trusted_object object, uint8_t* out,
                                     size_t capacity, size_t* size);
    /* Whole or not at all, also when power fails; on disk when it returns ZONE_OK. */
    enum trusted_zone_result (*replace)(void* self, enum trusted_object object, const uint8_t* data,
                                        size_t size);

    /* The same for ever on one piece of hardware, and on no other. No secret. */
    enum trusted_zone_result (*unit_id)(void* self, uint8_t id[32]);

    /* Milliseconds since some start, by a clock the normal world cannot set; never falls while the
     * instance lives. */
    enum trusted_zone_result (*uptime)(void* self, uint64_t* now_ms);
};

#ifdef __cplusplus
}
#endif
