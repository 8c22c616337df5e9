/* What a unit says when provisioning begins, and how it opens what the station sends back. */
#pragma once

#include "trusted/core/state.h"
#include "trusted/core/zone.h"
#include "trusted/protocol.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Lives in memory only: a statement does not outlive the instance. */
struct statement {
    bool good_for_provisioning; /* its nonce was not used yet */
    bool opens_keys;            /* its ephemeral key is there */
    uint8_t nonce[32];
    uint8_t secret[32]; /* X25519 */
    uint8_t key[32];
    uint8_t hash[32]; /* SHA-256 of the whole statement */
};

enum { STATEMENT_SIZE = 4 + 2 + 5 + 2 + TRUSTED_WRAPPING_KEY_SIZE + 32 };

/* Voids the statement before, whatever comes of the new one. */
enum trusted_zone_result trusted_statement_make(const struct trusted_zone* zone,
                                                const struct unit_keys* unit,
                                                const uint8_t unit_id[TRUSTED_UNIT_ID_SIZE],
                                                struct statement* statement,
                                                uint8_t out[STATEMENT_SIZE]);
void trusted_statement_void(struct statement* statement);

/* ZONE_REFUSED: it was not made for this statement, unit, identity and purpose. */
enum trusted_zone_result trusted_statement_open(const struct trusted_zone* zone,
                                                const struct statement* statement,
                                                const uint8_t unit_id[TRUSTED_UNIT_ID_SIZE],
                                                uint8_t purpose, struct span registration_id,
                                                struct span blob, struct key* key);

#ifdef __cplusplus
}
#endif
