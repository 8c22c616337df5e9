/* The part of custody that says, signed, where it stands. */
#include "trusted/core/custody.h"

/* Numbers are reserved ahead of their use: after a stop some are skipped, none is given twice. */
static enum trusted_status reserve(struct trusted* trusted, uint64_t up_to) {
    const struct trusted_zone* zone = trusted->zone;
    uint8_t bytes[8];
    struct writer out = trusted_writer(bytes, sizeof bytes);
    trusted_put_u64(&out, up_to);
    if (zone->replace(zone->self, OBJECT_CHECKPOINTS, bytes, sizeof bytes) != ZONE_OK)
        return TRUSTED_FAILURE;
    trusted->evidence.reserved = up_to;
    return TRUSTED_OK;
}

/* A count that is lost or damaged begins anew: whoever keeps high-water marks sees it go back,
 * while a unit that says nothing would be all that an attacker wants. */
static enum trusted_status begin(struct trusted* trusted) {
    const struct trusted_zone* zone = trusted->zone;
    struct evidence_progress* progress = &trusted->evidence;
    uint8_t bytes[8];
    size_t size = 0;
    if (progress->begun)
        return TRUSTED_OK;
    const enum trusted_zone_result result =
        zone->load(zone->self, OBJECT_CHECKPOINTS, bytes, sizeof bytes, &size);
    const struct span found = {bytes, size};
    if (result == ZONE_FAILED)
        return TRUSTED_FAILURE;
    if (result != ZONE_OK || !trusted_field_u64(found, &progress->reserved))
        progress->reserved = 0;
    progress->last = progress->reserved;
    if (zone->random(zone->self, progress->boot_id, sizeof progress->boot_id) != ZONE_OK)
        return TRUSTED_FAILURE;
    progress->begun = true;
    return TRUSTED_OK;
}

static enum trusted_status next_number(struct trusted* trusted) {
    struct evidence_progress* progress = &trusted->evidence;
    enum trusted_status status = TRUSTED_OK;
    if (progress->last == progress->reserved)
        status = reserve(trusted, progress->reserved + EVIDENCE_COUNTER_STEP);
    if (status == TRUSTED_OK)
        ++progress->last;
    return status;
}

static struct evidence_state state_of(const struct trusted* trusted) {
    const struct custody* custody = &trusted->custody;
    struct evidence_state state = {
        .checkpoint = trusted->evidence.last,
        .mints = trusted->mints,
        .refusals = trusted->refusals,
        .time_floor_s = custody->time_floor_s,
        .signed_time_age_s = trusted_signed_time_age_s(trusted),
        .order_counter = custody->order_counter,
        .epoch = 0,
        .custody = (uint8_t)custody->state,
        .doubtful = trusted->doubtful,
        .registration_id = custody->registration_id,
        .registration_id_size = custody->registration_id_size,
    };
    trusted_copy(state.attestation_key, trusted->unit.attestation_key,
                 sizeof state.attestation_key);
    trusted_copy(state.unit_id, trusted->unit_id, sizeof state.unit_id);
    trusted_copy(state.boot_id, trusted->evidence.boot_id, sizeof state.boot_id);
    return state;
}

static enum trusted_status sign(struct trusted* trusted, uint8_t* bytes, size_t* size) {
    const struct trusted_zone* zone = trusted->zone;
    const struct unit_keys* unit = &trusted->unit;
    uint8_t digest[32];
    if (*size == 0 || zone->sha256(zone->self, bytes, *size, digest) != ZONE_OK ||
        zone->p256_sign(zone->self, unit->attestation_secret, unit->attestation_key, digest,
                        bytes + *size) != ZONE_OK)
        return TRUSTED_FAILURE;
    *size += EVIDENCE_SIGNATURE_SIZE;
    return TRUSTED_OK;
}

enum trusted_status trusted_checkpoint(struct trusted* trusted, struct span report,
                                       uint8_t evidence[EVIDENCE_MAX_SIZE], size_t* size) {
    if (!evidence_is_report(report.at, report.size))
        return TRUSTED_MALFORMED;
    enum trusted_status status = begin(trusted);
    if (status == TRUSTED_OK)
        status = next_number(trusted);
    if (status != TRUSTED_OK)
        return status;
    const struct evidence_state state = state_of(trusted);
    *size = evidence_write_checkpoint(&state, report.at, report.size, evidence);
    return sign(trusted, evidence, size);
}

enum trusted_status trusted_attest(struct trusted* trusted,
                                   const uint8_t nonce[EVIDENCE_NONCE_SIZE],
                                   uint8_t evidence[EVIDENCE_MAX_SIZE], size_t* size) {
    const enum trusted_status status = begin(trusted);
    if (status != TRUSTED_OK)
        return status;
    const struct evidence_state state = state_of(trusted);
    *size = evidence_write_attestation(&state, nonce, evidence);
    return sign(trusted, evidence, size);
}
