#include "trusted/core/statement.h"

#include "azure/sas_core.h"

static const uint8_t magic[4] = {'M', 'V', 'S', '1'};
static const uint8_t kind[5] = {'o', 'p', 't', 'e', 'e'};
static const char statement_domain[] = TRUSTED_STATEMENT_DOMAIN;
static const char transport_domain[] = TRUSTED_TRANSPORT_DOMAIN;

void trusted_statement_void(struct statement* statement) {
    trusted_wipe(statement, sizeof *statement);
}

/* Who holds the attestation key made this statement: a ledger that knows the key sees a false one.
 */
static enum trusted_zone_result sign(const struct trusted_zone* zone, const struct unit_keys* unit,
                                     const uint8_t unit_id[TRUSTED_UNIT_ID_SIZE],
                                     const struct statement* statement, uint8_t signature[64]) {
    uint8_t message[sizeof statement_domain + 32 + 32 + TRUSTED_UNIT_ID_SIZE];
    uint8_t digest[32];
    struct writer out = trusted_writer(message, sizeof message);
    trusted_put(&out, statement_domain, sizeof statement_domain);
    trusted_put(&out, statement->nonce, sizeof statement->nonce);
    trusted_put(&out, statement->key, sizeof statement->key);
    trusted_put(&out, unit_id, TRUSTED_UNIT_ID_SIZE);
    const enum trusted_zone_result result = zone->sha256(zone->self, message, out.used, digest);
    if (result != ZONE_OK)
        return result;
    return zone->p256_sign(zone->self, unit->attestation_secret, unit->attestation_key, digest,
                           signature);
}

static void encode(const struct unit_keys* unit, const uint8_t unit_id[TRUSTED_UNIT_ID_SIZE],
                   const struct statement* statement, const uint8_t signature[64],
                   uint8_t bytes[STATEMENT_SIZE]) {
    const struct span name = {kind, sizeof kind};
    const uint8_t size[2] = {TRUSTED_WRAPPING_KEY_SIZE >> 8, TRUSTED_WRAPPING_KEY_SIZE & 0xff};
    struct writer out = trusted_writer(bytes, STATEMENT_SIZE);
    trusted_put(&out, magic, sizeof magic);
    trusted_put_block(&out, name);
    trusted_put(&out, size, sizeof size);
    trusted_put(&out, statement->key, sizeof statement->key);
    trusted_put(&out, unit_id, TRUSTED_UNIT_ID_SIZE);
    trusted_put(&out, unit->attestation_key, sizeof unit->attestation_key);
    trusted_put(&out, signature, 64);
    trusted_put(&out, statement->nonce, sizeof statement->nonce);
}

enum trusted_zone_result trusted_statement_make(const struct trusted_zone* zone,
                                                const struct unit_keys* unit,
                                                const uint8_t unit_id[TRUSTED_UNIT_ID_SIZE],
                                                struct statement* statement,
                                                uint8_t bytes[STATEMENT_SIZE]) {
    uint8_t signature[64];
    trusted_statement_void(statement);
    enum trusted_zone_result result =
        zone->random(zone->self, statement->nonce, sizeof statement->nonce);
    if (result == ZONE_OK)
        result = zone->x25519_new(zone->self, statement->secret, statement->key);
    if (result == ZONE_OK)
        result = sign(zone, unit, unit_id, statement, signature);
    if (result == ZONE_OK) {
        encode(unit, unit_id, statement, signature, bytes);
        result = zone->sha256(zone->self, bytes, STATEMENT_SIZE, statement->hash);
    }
    if (result != ZONE_OK) {
        trusted_statement_void(statement);
        return result;
    }
    statement->good_for_provisioning = true;
    statement->opens_keys = true;
    return ZONE_OK;
}

static enum trusted_zone_result shared_secret(const struct trusted_zone* zone,
                                              const struct statement* statement,
                                              const uint8_t peer[32], uint8_t shared[32]) {
    static const uint8_t zeros[32] = {0};
    const enum trusted_zone_result result =
        zone->x25519_agree(zone->self, statement->secret, statement->key, peer, shared);
    if (result != ZONE_OK)
        return result;
    /* RFC 7748 6.1: a point of small order gives zeros, whoever chose it knows the key. */
    return trusted_same_secret(shared, zeros, sizeof zeros) ? ZONE_REFUSED : ZONE_OK;
}

static enum trusted_zone_result transport_key(const struct trusted_zone* zone,
                                              const struct statement* statement,
                                              const uint8_t unit_id[TRUSTED_UNIT_ID_SIZE],
                                              uint8_t purpose, struct span registration_id,
                                              const uint8_t peer[32], uint8_t key[KEY_SIZE]) {
    uint8_t salt[64];
    uint8_t info[KEY_MAX_INFO];
    uint8_t shared[32];
    struct writer salted = trusted_writer(salt, sizeof salt);
    trusted_put(&salted, peer, 32);
    trusted_put(&salted, statement->key, sizeof statement->key);
    struct writer about = trusted_writer(info, sizeof info);
    trusted_put(&about, transport_domain, sizeof transport_domain);
    trusted_put_u8(&about, purpose);
    trusted_put(&about, statement->hash, sizeof statement->hash);
    trusted_put(&about, unit_id, TRUSTED_UNIT_ID_SIZE);
    trusted_put(&about, registration_id.at, registration_id.size);
    if (about.overflow)
        return ZONE_REFUSED;
    enum trusted_zone_result result = shared_secret(zone, statement, peer, shared);
    if (result == ZONE_OK) {
        const struct span secret = {shared, sizeof shared};
        const struct span with = {salt, sizeof salt};
        const struct span what = {info, about.used};
        result = trusted_hkdf(zone, secret, with, what, key);
    }
    trusted_wipe(shared, sizeof shared);
    return result;
}

enum trusted_zone_result trusted_statement_open(const struct trusted_zone* zone,
                                                const struct statement* statement,
                                                const uint8_t unit_id[TRUSTED_UNIT_ID_SIZE],
                                                uint8_t purpose, struct span registration_id,
                                                struct span blob, struct key* key) {
    static const uint8_t nonce[ZONE_NONCE_SIZE] = {0};
    uint8_t with[KEY_SIZE];
    const size_t overhead = 32 + ZONE_TAG_SIZE;
    trusted_wipe(key, sizeof *key);
    if (!statement->opens_keys || blob.size <= overhead ||
        blob.size > overhead + KEY_MAX_TRANSPORTED)
        return ZONE_REFUSED;
    enum trusted_zone_result result =
        transport_key(zone, statement, unit_id, purpose, registration_id, blob.at, with);
    if (result == ZONE_OK)
        result = zone->open(zone->self, with, nonce, blob.at + 32, blob.size - 32, key->bytes);
    if (result == ZONE_OK)
        key->size = blob.size - overhead;
    else
        trusted_wipe(key, sizeof *key);
    trusted_wipe(with, sizeof with);
    return result;
}
