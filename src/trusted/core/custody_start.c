/* The part of custody that starts: what was sealed is taken up, or doubted. */
#include "trusted/core/custody.h"

/* What does not parse was refused. */
struct found {
    enum trusted_zone_result unit;
    enum trusted_zone_result custody;
    enum trusted_zone_result ratchet;
};

static enum trusted_zone_result load(struct trusted* trusted, enum trusted_object object,
                                     struct span* content) {
    const struct trusted_zone* zone = trusted->zone;
    content->at = trusted->work;
    return zone->load(zone->self, object, trusted->work, sizeof trusted->work, &content->size);
}

static enum trusted_zone_result load_unit(struct trusted* trusted) {
    struct span content;
    enum trusted_zone_result result = load(trusted, OBJECT_UNIT, &content);
    if (result == ZONE_OK && !trusted_unit_decode(content, &trusted->unit))
        result = ZONE_REFUSED;
    trusted_wipe(trusted->work, sizeof trusted->work);
    return result;
}

static enum trusted_zone_result load_custody(struct trusted* trusted) {
    struct span content;
    enum trusted_zone_result result = load(trusted, OBJECT_CUSTODY, &content);
    if (result == ZONE_OK && !trusted_custody_decode(content, &trusted->custody)) {
        trusted_wipe(&trusted->custody, sizeof trusted->custody);
        result = ZONE_REFUSED;
    }
    trusted_wipe(trusted->work, sizeof trusted->work);
    return result;
}

static enum trusted_zone_result load_ratchet(struct trusted* trusted, struct ratchet* ratchet) {
    struct span content;
    const enum trusted_zone_result result = load(trusted, OBJECT_RATCHET, &content);
    if (result == ZONE_OK && !trusted_ratchet_decode(content, ratchet))
        return ZONE_REFUSED;
    return result;
}

/* Nothing was ever ordered here. Loss of an object, which the platform itself may delete when it is
 * damaged, must not look like this: a ratchet stands from the first start on. */
static bool is_new(const struct found* found, const struct ratchet* ratchet) {
    if (found->custody != ZONE_MISSING)
        return false;
    if (found->ratchet == ZONE_MISSING)
        return found->unit == ZONE_MISSING;
    return found->ratchet == ZONE_OK && (found->unit == ZONE_OK || found->unit == ZONE_MISSING) &&
           ratchet->order_counter == 0;
}

/* The three belong together: what a station gave has a count, and the keys of this very unit. */
static bool is_whole(const struct trusted* trusted, const struct found* found) {
    return found->unit == ZONE_OK && found->custody == ZONE_OK && found->ratchet == ZONE_OK &&
           trusted_same_secret(trusted->custody.unit, trusted->unit.attestation_key,
                               sizeof trusted->custody.unit);
}

/* Nothing is destroyed here: putting the right object back must heal a unit, who can write files
 * must not be able to void its keys. What only rises is kept from whatever can be read. */
static void judge(struct trusted* trusted, const struct found* found,
                  const struct ratchet* ratchet) {
    struct custody* custody = &trusted->custody;
    const int64_t floor = custody->time_floor_s > ratchet->time_floor_s ? custody->time_floor_s
                                                                        : ratchet->time_floor_s;
    const uint64_t counter = custody->order_counter > ratchet->order_counter
                                 ? custody->order_counter
                                 : ratchet->order_counter;
    if (!is_new(found, ratchet) && !is_whole(trusted, found)) {
        trusted_wipe(custody, sizeof *custody);
        custody->state = STATE_WIPED;
        trusted->doubtful = true;
    }
    custody->time_floor_s = floor;
    custody->order_counter = counter;
    trusted->stored_floor_s = floor;
    trusted->mints = ratchet->mint_ceiling;
    trusted->mint_ceiling = ratchet->mint_ceiling;
}

/* Keys that are lost are made anew at once: readings must go on being sealed. They are not written
 * over what is there and cannot be read; then they last until the next start. */
static enum trusted_status make_unit(struct trusted* trusted, bool store) {
    const struct trusted_zone* zone = trusted->zone;
    struct unit_keys* unit = &trusted->unit;
    if (zone->random(zone->self, unit->data_root, KEY_SIZE) != ZONE_OK ||
        zone->p256_new(zone->self, unit->attestation_secret, unit->attestation_key) != ZONE_OK)
        return TRUSTED_FAILURE;
    return store ? trusted_save_unit(trusted, unit) : TRUSTED_OK;
}

static enum trusted_status complete(struct trusted* trusted, const struct found* found) {
    enum trusted_status status = TRUSTED_OK;
    if (!trusted->doubtful && found->ratchet == ZONE_MISSING)
        status = trusted_save_ratchet(trusted, &trusted->custody);
    if (status == TRUSTED_OK && found->unit != ZONE_OK)
        status = make_unit(trusted, found->unit == ZONE_MISSING);
    trusted->unit_stored = found->unit == ZONE_OK || found->unit == ZONE_MISSING;
    return status;
}

static enum trusted_status start(struct trusted* trusted) {
    const struct trusted_zone* zone = trusted->zone;
    struct ratchet ratchet = {0};
    struct found found = {0};
    if (zone->unit_id(zone->self, trusted->unit_id) != ZONE_OK)
        return TRUSTED_FAILURE;
    found.unit = load_unit(trusted);
    found.custody = load_custody(trusted);
    found.ratchet = load_ratchet(trusted, &ratchet);
    if (found.unit == ZONE_FAILED || found.custody == ZONE_FAILED || found.ratchet == ZONE_FAILED)
        return TRUSTED_FAILURE;
    trusted->storage_refused = found.unit == ZONE_STORAGE_REFUSED ||
                               found.custody == ZONE_STORAGE_REFUSED ||
                               found.ratchet == ZONE_STORAGE_REFUSED;
    judge(trusted, &found, &ratchet);
    return complete(trusted, &found);
}

enum trusted_status trusted_open(struct trusted* trusted, const struct trusted_zone* zone) {
    trusted_wipe(trusted, sizeof *trusted);
    trusted->zone = zone;
    const enum trusted_status status = start(trusted);
    if (status != TRUSTED_OK)
        trusted_close(trusted);
    return status;
}

void trusted_close(struct trusted* trusted) {
    trusted_wipe(trusted, sizeof *trusted);
}
