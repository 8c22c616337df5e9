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

enum trusted_status trusted_save_mints(struct trusted* trusted, uint64_t mints) {
    const struct trusted_zone* zone = trusted->zone;
    uint8_t bytes[8];
    struct writer out = trusted_writer(bytes, sizeof bytes);
    trusted_put_u64(&out, mints);
    return worked(zone->replace(zone->self, OBJECT_MINTS, bytes, sizeof bytes));
}

static enum trusted_status make_unit(struct trusted* trusted) {
    const struct trusted_zone* zone = trusted->zone;
    struct unit_keys* unit = &trusted->unit;
    if (zone->random(zone->self, unit->data_root, KEY_SIZE) != ZONE_OK ||
        zone->p256_new(zone->self, unit->attestation_secret, unit->attestation_key) != ZONE_OK)
        return TRUSTED_FAILURE;
    return trusted_save_unit(trusted, unit);
}

/* Keys that are lost are made anew at once: readings must go on being sealed. */
static enum trusted_status load_unit(struct trusted* trusted) {
    const struct trusted_zone* zone = trusted->zone;
    uint8_t bytes[UNIT_ENCODED];
    size_t size = 0;
    const enum trusted_zone_result result =
        zone->load(zone->self, OBJECT_UNIT, bytes, sizeof bytes, &size);
    const struct span found = {bytes, size};
    const bool whole = result == ZONE_OK && trusted_unit_decode(found, &trusted->unit);
    trusted_wipe(bytes, sizeof bytes);
    if (whole)
        return TRUSTED_OK;
    if (result == ZONE_FAILED)
        return TRUSTED_FAILURE;
    if (result != ZONE_MISSING)
        trusted->doubtful = true;
    return make_unit(trusted);
}

static enum trusted_status load_mints(struct trusted* trusted, bool* missing) {
    const struct trusted_zone* zone = trusted->zone;
    uint8_t bytes[8];
    size_t size = 0;
    const enum trusted_zone_result result =
        zone->load(zone->self, OBJECT_MINTS, bytes, sizeof bytes, &size);
    const struct span found = {bytes, size};
    if (result == ZONE_FAILED)
        return TRUSTED_FAILURE;
    *missing = result == ZONE_MISSING;
    if (result == ZONE_REFUSED || (result == ZONE_OK && !trusted_field_u64(found, &trusted->mints)))
        trusted->doubtful = true;
    return TRUSTED_OK;
}

/* Nothing is destroyed here: putting the right object back must heal a unit, who can write files
 * must not be able to void its keys. */
static void doubt(struct trusted* trusted) {
    trusted_wipe(&trusted->custody, sizeof trusted->custody);
    trusted->custody.state = STATE_WIPED;
    trusted->doubtful = true;
}

static enum trusted_status load_custody(struct trusted* trusted, bool mints_missing) {
    const struct trusted_zone* zone = trusted->zone;
    size_t size = 0;
    const enum trusted_zone_result result =
        zone->load(zone->self, OBJECT_CUSTODY, trusted->work, sizeof trusted->work, &size);
    const struct span found = {trusted->work, size};
    if (result == ZONE_FAILED)
        return TRUSTED_FAILURE;
    const bool good = result == ZONE_MISSING ||
                      (result == ZONE_OK && trusted_custody_decode(found, &trusted->custody));
    trusted_wipe(trusted->work, sizeof trusted->work);
    /* The three belong together: what a station gave has a count, and the keys of this very unit.
     */
    const bool whole =
        result == ZONE_MISSING ||
        (!mints_missing && trusted_same_secret(trusted->custody.unit, trusted->unit.attestation_key,
                                               sizeof trusted->custody.unit));
    if (!good || !whole || trusted->doubtful)
        doubt(trusted);
    trusted->stored_floor_s = trusted->custody.time_floor_s;
    return TRUSTED_OK;
}

enum trusted_status trusted_open(struct trusted* trusted, const struct trusted_zone* zone) {
    bool mints_missing = false;
    trusted_wipe(trusted, sizeof *trusted);
    trusted->zone = zone;
    enum trusted_status status = worked(zone->unit_id(zone->self, trusted->unit_id));
    if (status == TRUSTED_OK)
        status = load_unit(trusted);
    if (status == TRUSTED_OK)
        status = load_mints(trusted, &mints_missing);
    if (status == TRUSTED_OK)
        status = load_custody(trusted, mints_missing);
    if (status != TRUSTED_OK)
        trusted_close(trusted);
    return status;
}

void trusted_close(struct trusted* trusted) {
    trusted_wipe(trusted, sizeof *trusted);
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
    return worked(trusted_statement_make(trusted->zone, &trusted->unit, trusted->unit_id,
                                         &trusted->statement, statement));
}
