#include "trusted/core/custody.h"

static enum trusted_status worked(enum trusted_zone_result result) {
    return result == ZONE_OK ? TRUSTED_OK : TRUSTED_FAILURE;
}

enum trusted_status trusted_save(struct trusted* trusted, const struct custody* next) {
    const struct trusted_zone* zone = trusted->zone;
    const size_t size = trusted_custody_encode(next, trusted->work);
    const enum trusted_zone_result result =
        size == 0 ? ZONE_FAILED : zone->replace(zone->self, OBJECT_CUSTODY, trusted->work, size);
    trusted_wipe(trusted->work, sizeof trusted->work);
    return worked(result);
}

enum trusted_status trusted_save_unit(struct trusted* trusted, const struct unit_keys* unit) {
    const struct trusted_zone* zone = trusted->zone;
    uint8_t bytes[UNIT_ENCODED];
    trusted_unit_encode(unit, bytes);
    const enum trusted_zone_result result =
        zone->replace(zone->self, OBJECT_UNIT, bytes, sizeof bytes);
    trusted_wipe(bytes, sizeof bytes);
    return worked(result);
}

enum trusted_status trusted_save_ratchet(struct trusted* trusted, const struct custody* custody) {
    const struct trusted_zone* zone = trusted->zone;
    const struct ratchet ratchet = {trusted->mint_ceiling, custody->time_floor_s,
                                    custody->order_counter};
    uint8_t bytes[RATCHET_ENCODED];
    trusted_ratchet_encode(&ratchet, bytes);
    const enum trusted_status status =
        worked(zone->replace(zone->self, OBJECT_RATCHET, bytes, sizeof bytes));
    if (status == TRUSTED_OK)
        trusted->stored_floor_s = ratchet.time_floor_s;
    return status;
}

enum trusted_status trusted_new_data_key(struct trusted* trusted, uint8_t key[KEY_SIZE],
                                         uint8_t wrapped[DATA_KEY_WRAPPED_SIZE]) {
    const struct trusted_zone* zone = trusted->zone;
    if (zone->random(zone->self, key, KEY_SIZE) != ZONE_OK)
        return TRUSTED_FAILURE;
    return worked(trusted_wrap_data_key(zone, trusted->unit.data_root, key, wrapped));
}

enum trusted_status trusted_give_data_key(struct trusted* trusted, struct span wrapped,
                                          uint8_t key[KEY_SIZE]) {
    const enum trusted_zone_result result =
        trusted_open_data_key(trusted->zone, trusted->unit.data_root, wrapped, key);
    /* A refusal is for ever: the reader gives the segment up. While the state is in doubt it is no
     * verdict, for the right objects, put back, open the key again. */
    if (result == ZONE_REFUSED && !trusted->doubtful)
        return TRUSTED_KEY_REFUSED;
    return worked(result);
}

enum trusted_status trusted_pseudonym(struct trusted* trusted, struct span id,
                                      struct span authority, uint8_t pseudonym[16]) {
    enum { MAX_TEXT = 256 };
    static const char domain[] = "mitral subject 1"; /* its zero byte included */
    const struct trusted_zone* zone = trusted->zone;
    const struct key* key = &trusted->custody.subject;
    uint8_t mac[32];
    if (id.size > MAX_TEXT || authority.size > MAX_TEXT || id.size + authority.size == 0)
        return TRUSTED_MALFORMED;
    if (key->size == 0)
        return TRUSTED_NOT_PROVISIONED;
    struct writer input = trusted_writer(trusted->work, sizeof trusted->work);
    trusted_put(&input, domain, sizeof domain);
    trusted_put_block(&input, authority);
    trusted_put(&input, id.at, id.size);
    const enum trusted_zone_result result =
        zone->hmac_sha256(zone->self, key->bytes, key->size, trusted->work, input.used, mac);
    if (result == ZONE_OK)
        trusted_copy(pseudonym, mac, 16);
    trusted_wipe(mac, sizeof mac);
    trusted_wipe(trusted->work, input.used); /* a patient's name */
    return worked(result);
}

enum trusted_status trusted_begin_provisioning(struct trusted* trusted,
                                               uint8_t statement[STATEMENT_SIZE]) {
    /* Its attestation key would be nobody's, and what comes of it could not be stored. */
    if (trusted->storage_refused)
        return TRUSTED_FAILURE;
    return worked(trusted_statement_make(trusted->zone, &trusted->unit, trusted->unit_id,
                                         &trusted->statement, statement));
}
