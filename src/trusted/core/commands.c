#include "trusted/core/commands.h"

typedef enum trusted_status (*command)(struct trusted* trusted, struct reader* in,
                                       struct writer* out);

static enum trusted_status reply_token(struct writer* out, enum trusted_status status,
                                       struct token* token) {
    const struct span text = {(const uint8_t*)token->text, token->size};
    if (status == TRUSTED_OK) {
        trusted_put_u64(out, (uint64_t)token->expiry_s);
        trusted_put_block(out, text);
    }
    trusted_wipe(token, sizeof *token);
    return status;
}

static enum trusted_status mint_hub(struct trusted* trusted, struct reader* in,
                                    struct writer* out) {
    struct token token = {0};
    struct token_request request = {0};
    request.now_s = (int64_t)trusted_u64(in);
    request.lifetime_s = (int64_t)trusted_u64(in);
    request.hub = trusted_block(in);
    request.module = trusted_block(in);
    if (!trusted_read_all(in))
        return TRUSTED_MALFORMED;
    return reply_token(out, trusted_mint_hub(trusted, &request, &token), &token);
}

static enum trusted_status mint_registration(struct trusted* trusted, struct reader* in,
                                             struct writer* out) {
    struct token token = {0};
    struct token_request request = {0};
    request.now_s = (int64_t)trusted_u64(in);
    request.lifetime_s = (int64_t)trusted_u64(in);
    if (!trusted_read_all(in))
        return TRUSTED_MALFORMED;
    return reply_token(out, trusted_mint_registration(trusted, &request, &token), &token);
}

static enum trusted_status new_data_key(struct trusted* trusted, struct reader* in,
                                        struct writer* out) {
    uint8_t key[KEY_SIZE];
    uint8_t wrapped[DATA_KEY_WRAPPED_SIZE];
    if (!trusted_read_all(in))
        return TRUSTED_MALFORMED;
    const enum trusted_status status = trusted_new_data_key(trusted, key, wrapped);
    if (status == TRUSTED_OK) {
        const struct span plain = {key, sizeof key};
        const struct span sealed = {wrapped, sizeof wrapped};
        trusted_put_block(out, plain);
        trusted_put_block(out, sealed);
    }
    trusted_wipe(key, sizeof key);
    return status;
}

static enum trusted_status open_data_key(struct trusted* trusted, struct reader* in,
                                         struct writer* out) {
    uint8_t key[KEY_SIZE];
    const struct span wrapped = trusted_block(in);
    if (!trusted_read_all(in))
        return TRUSTED_MALFORMED;
    const enum trusted_status status = trusted_give_data_key(trusted, wrapped, key);
    if (status == TRUSTED_OK) {
        const struct span plain = {key, sizeof key};
        trusted_put_block(out, plain);
    }
    trusted_wipe(key, sizeof key);
    return status;
}

static enum trusted_status volume_key(struct trusted* trusted, struct reader* in,
                                      struct writer* out) {
    struct volume volume;
    const struct span wrapped = trusted_block(in);
    if (!trusted_read_all(in))
        return TRUSTED_MALFORMED;
    const enum trusted_status status = trusted_volume_key(trusted, wrapped, &volume);
    if (status == TRUSTED_OK) {
        const struct span plain = {volume.key, sizeof volume.key};
        const struct span sealed = {volume.wrapped, sizeof volume.wrapped};
        trusted_put_block(out, plain);
        trusted_put_block(out, sealed);
    }
    trusted_wipe(&volume, sizeof volume);
    return status;
}

static enum trusted_status status(struct trusted* trusted, struct reader* in, struct writer* out) {
    static const struct policy none = {0};
    const struct custody* custody = &trusted->custody;
    const struct span id = {custody->registration_id, custody->registration_id_size};
    const struct span policy = {custody->policy, custody->policy_size};
    if (!trusted_read_all(in))
        return TRUSTED_MALFORMED;
    if (!trusted_policy_parse(policy, &trusted->policy))
        trusted->policy = none;
    trusted_put_u8(out, (uint8_t)custody->state);
    trusted_put_u64(out, trusted->mints);
    trusted_put_u64(out, trusted->refusals);
    trusted_put_u64(out, (uint64_t)custody->time_floor_s);
    trusted_put_u32(out, trusted->policy.allowance_s);
    trusted_put_u32(out, trusted->policy.max_lifetime_s);
    trusted_put_u8(out, custody->pending.size > 0);
    trusted_put_u8(out, custody->subject.size > 0);
    trusted_put_u8(out, trusted->storage_refused ? 2 : trusted->doubtful);
    trusted_put_u8(out, trusted->policy.time_key.size > 0);
    trusted_put_u64(out, (uint64_t)trusted_signed_time_age_s(trusted));
    trusted_put_u8(out, trusted->zone->station_key != NULL);
    trusted_put_block(out, trusted->policy.id_scope);
    trusted_put_block(out, id);
    trusted_put_block(out, trusted->policy.dps_host);
    return TRUSTED_OK;
}

static enum trusted_status begin_provisioning(struct trusted* trusted, struct reader* in,
                                              struct writer* out) {
    uint8_t bytes[STATEMENT_SIZE];
    if (!trusted_read_all(in))
        return TRUSTED_MALFORMED;
    const enum trusted_status result = trusted_begin_provisioning(trusted, bytes);
    const struct span statement = {bytes, sizeof bytes};
    if (result == TRUSTED_OK)
        trusted_put_block(out, statement);
    return result;
}

static enum trusted_status execute_order(struct trusted* trusted, struct reader* in,
                                         struct writer* out) {
    const struct span station_key = trusted_take(in, 32);
    const struct span order = trusted_block(in);
    (void)out;
    if (!trusted_read_all(in))
        return TRUSTED_MALFORMED;
    return trusted_execute(trusted, station_key.at, order);
}

static enum trusted_status pseudonym(struct trusted* trusted, struct reader* in,
                                     struct writer* out) {
    uint8_t name[16];
    const struct span id = trusted_block(in);
    const struct span authority = trusted_block(in);
    if (!trusted_read_all(in))
        return TRUSTED_MALFORMED;
    const enum trusted_status result = trusted_pseudonym(trusted, id, authority, name);
    if (result == TRUSTED_OK)
        trusted_put(out, name, sizeof name);
    return result;
}

static enum trusted_status begin_time(struct trusted* trusted, struct reader* in,
                                      struct writer* out) {
    uint8_t bytes[ROUGHTIME_REQUEST_SIZE];
    if (!trusted_read_all(in))
        return TRUSTED_MALFORMED;
    const enum trusted_status result = trusted_begin_time(trusted, bytes);
    const struct span packet = {bytes, sizeof bytes};
    if (result == TRUSTED_OK)
        trusted_put_block(out, packet);
    return result;
}

static enum trusted_status take_time(struct trusted* trusted, struct reader* in,
                                     struct writer* out) {
    const struct span answer = trusted_block(in);
    int64_t earliest_s = 0;
    if (!trusted_read_all(in))
        return TRUSTED_MALFORMED;
    const enum trusted_status result = trusted_take_time(trusted, answer, &earliest_s);
    if (result == TRUSTED_OK)
        trusted_put_u64(out, (uint64_t)earliest_s);
    return result;
}

static enum trusted_status checkpoint(struct trusted* trusted, struct reader* in,
                                      struct writer* out) {
    uint8_t bytes[EVIDENCE_MAX_SIZE];
    size_t size = 0;
    const struct span report = trusted_block(in);
    if (!trusted_read_all(in))
        return TRUSTED_MALFORMED;
    const enum trusted_status result = trusted_checkpoint(trusted, report, bytes, &size);
    const struct span evidence = {bytes, size};
    if (result == TRUSTED_OK)
        trusted_put_block(out, evidence);
    return result;
}

static enum trusted_status attest(struct trusted* trusted, struct reader* in, struct writer* out) {
    uint8_t bytes[EVIDENCE_MAX_SIZE];
    size_t size = 0;
    const struct span nonce = trusted_take(in, EVIDENCE_NONCE_SIZE);
    if (!trusted_read_all(in))
        return TRUSTED_MALFORMED;
    const enum trusted_status result = trusted_attest(trusted, nonce.at, bytes, &size);
    const struct span evidence = {bytes, size};
    if (result == TRUSTED_OK)
        trusted_put_block(out, evidence);
    return result;
}

static command command_of(uint32_t number) {
    switch (number) {
        case TRUSTED_MINT_HUB:
            return mint_hub;
        case TRUSTED_MINT_REGISTRATION:
            return mint_registration;
        case TRUSTED_NEW_DATA_KEY:
            return new_data_key;
        case TRUSTED_OPEN_DATA_KEY:
            return open_data_key;
        case TRUSTED_STATUS:
            return status;
        case TRUSTED_BEGIN_PROVISIONING:
            return begin_provisioning;
        case TRUSTED_EXECUTE_ORDER:
            return execute_order;
        case TRUSTED_PSEUDONYM:
            return pseudonym;
        case TRUSTED_BEGIN_TIME:
            return begin_time;
        case TRUSTED_TAKE_TIME:
            return take_time;
        case TRUSTED_CHECKPOINT:
            return checkpoint;
        case TRUSTED_ATTEST:
            return attest;
        case TRUSTED_VOLUME_KEY:
            return volume_key;
        default:
            return NULL;
    }
}

size_t trusted_answer(struct trusted* trusted, uint32_t number, struct span request,
                      uint8_t reply[TRUSTED_MAX_REPLY]) {
    struct writer out = trusted_writer(reply, TRUSTED_MAX_REPLY);
    struct reader in = trusted_reader(request);
    const command perform = command_of(number);
    enum trusted_status result = TRUSTED_MALFORMED;
    trusted_put_u8(&out, TRUSTED_OK);
    if (perform != NULL && request.size <= TRUSTED_MAX_REQUEST)
        result = perform(trusted, &in, &out);
    if (result == TRUSTED_OK && out.overflow)
        result = TRUSTED_FAILURE;
    if (result == TRUSTED_OK)
        return out.used;
    if (result != TRUSTED_FAILURE)
        ++trusted->refusals;
    trusted_wipe(reply, out.used);
    reply[0] = (uint8_t)result;
    return 1;
}
