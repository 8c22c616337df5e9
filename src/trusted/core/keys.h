/* Derivations and sealings over a zone's primitives. */
#pragma once

#include "trusted/core/bytes.h"
#include "trusted/core/zone.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
    KEY_SIZE = 32,
    KEY_MAX_TRANSPORTED = 64,
    DATA_KEY_WRAPPED_SIZE = 32 + KEY_SIZE + ZONE_TAG_SIZE,
    VOLUME_KEY_SIZE = 64, /* AES-256-XTS */
    VOLUME_KEY_WRAPPED_SIZE = 32 + VOLUME_KEY_SIZE + ZONE_TAG_SIZE
};

/* A device's or subject key: as many bytes as the station gave. Size 0: none. */
struct key {
    uint8_t bytes[KEY_MAX_TRANSPORTED];
    size_t size;
};

/* RFC 5869 for one block of output. info ≤ KEY_MAX_INFO bytes. */
enum { KEY_MAX_INFO = 256 };
enum trusted_zone_result trusted_hkdf(const struct trusted_zone* zone, struct span secret,
                                      struct span salt, struct span info, uint8_t out[KEY_SIZE]);

/* HMAC-SHA256 under the device's key or, with a name, under the module's derived from it
 * (vault/module_key.hpp). */
enum trusted_zone_result trusted_key_mac(const struct trusted_zone* zone, const struct key* key,
                                         struct span module, struct span data, uint8_t mac[32]);

/* salt (32) | ciphertext and tag, under a key derived from `root` and the salt. */
enum trusted_zone_result trusted_wrap_data_key(const struct trusted_zone* zone,
                                               const uint8_t root[KEY_SIZE],
                                               const uint8_t key[KEY_SIZE],
                                               uint8_t wrapped[DATA_KEY_WRAPPED_SIZE]);
enum trusted_zone_result trusted_open_data_key(const struct trusted_zone* zone,
                                               const uint8_t root[KEY_SIZE], struct span wrapped,
                                               uint8_t key[KEY_SIZE]);
/* The same for the key of a volume: what was wrapped as the one does not open as the other. */
enum trusted_zone_result trusted_wrap_volume_key(const struct trusted_zone* zone,
                                                 const uint8_t root[KEY_SIZE],
                                                 const uint8_t key[VOLUME_KEY_SIZE],
                                                 uint8_t wrapped[VOLUME_KEY_WRAPPED_SIZE]);
enum trusted_zone_result trusted_open_volume_key(const struct trusted_zone* zone,
                                                 const uint8_t root[KEY_SIZE], struct span wrapped,
                                                 uint8_t key[VOLUME_KEY_SIZE]);

#ifdef __cplusplus
}
#endif
