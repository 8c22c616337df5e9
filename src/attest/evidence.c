#include "attest/evidence.h"

#include <string.h>

static const char checkpoint_label[] = EVIDENCE_CHECKPOINT_LABEL;
static const char attestation_label[] = EVIDENCE_ATTESTATION_LABEL;

struct input {
    const uint8_t* at;
    size_t left;
};

/* NULL: there is no more of it. */
static const uint8_t* take(struct input* in, size_t size) {
    const uint8_t* const taken = in->at;
    if (size > in->left)
        return NULL;
    in->at += size;
    in->left -= size;
    return taken;
}

static uint64_t number(const uint8_t* at, size_t size) {
    uint64_t value = 0;
    for (size_t i = 0; i < size; ++i)
        value = value << 8 | at[i];
    return value;
}

static bool is_name(const uint8_t* at, size_t size) {
    for (size_t i = 0; i < size; ++i) {
        const bool letter = at[i] >= 'a' && at[i] <= 'z';
        const bool digit = at[i] >= '0' && at[i] <= '9';
        if (!letter && !digit && at[i] != '-' && at[i] != '/')
            return false;
    }
    return size > 0 && size <= EVIDENCE_MAX_LANE_NAME;
}

/* Bytewise, a shorter one first. */
static bool rises(const struct input* before, const uint8_t* at, size_t size) {
    const size_t common = before->left < size ? before->left : size;
    const int order = common > 0 ? memcmp(before->at, at, common) : 0;
    return order < 0 || (order == 0 && before->left < size);
}

static bool read_lane(struct input* in, struct input* last_name) {
    const uint8_t* const length = take(in, 2);
    const size_t size = length != NULL ? (size_t)number(length, 2) : 0;
    const uint8_t* const name = length != NULL ? take(in, size) : NULL;
    const uint8_t* const numbers = name != NULL ? take(in, EVIDENCE_LANE_NUMBERS) : NULL;
    if (numbers == NULL || !is_name(name, size) || !rises(last_name, name, size))
        return false;
    last_name->at = name;
    last_name->left = size;
    return number(numbers + 8, 8) <= number(numbers + 16, 8);
}

static bool read_log(struct input* in) {
    static const uint8_t none[EVIDENCE_HASH_SIZE] = {0};
    const uint8_t* const entries = take(in, 8);
    const uint8_t* const head = entries != NULL ? take(in, EVIDENCE_HASH_SIZE) : NULL;
    return head != NULL && (number(entries, 8) == 0) == (memcmp(head, none, sizeof none) == 0);
}

bool evidence_is_report(const uint8_t* report, size_t size) {
    struct input in = {report, size};
    struct input last_name = {NULL, 0};
    if (size > EVIDENCE_MAX_REPORT || !read_log(&in))
        return false;
    const uint8_t* const count = take(&in, 1);
    if (count == NULL || *count > EVIDENCE_MAX_LANES)
        return false;
    for (uint8_t i = 0; i < *count; ++i)
        if (!read_lane(&in, &last_name))
            return false;
    return in.left == 0;
}

static uint8_t* put(uint8_t* out, const void* bytes, size_t size) {
    if (size > 0)
        memcpy(out, bytes, size);
    return out + size;
}

static uint8_t* put_number(uint8_t* out, uint64_t value, size_t size) {
    for (size_t i = 0; i < size; ++i)
        out[i] = (uint8_t)(value >> (8 * (size - 1 - i)));
    return out + size;
}

static uint8_t* put_state(uint8_t* out, const struct evidence_state* state) {
    out = put(out, state->attestation_key, sizeof state->attestation_key);
    out = put(out, state->unit_id, sizeof state->unit_id);
    out = put(out, state->boot_id, sizeof state->boot_id);
    out = put_number(out, state->checkpoint, 8);
    out = put_number(out, state->mints, 8);
    out = put_number(out, state->refusals, 8);
    out = put_number(out, (uint64_t)state->time_floor_s, 8);
    out = put_number(out, (uint64_t)state->signed_time_age_s, 8);
    out = put_number(out, state->order_counter, 8);
    out = put_number(out, state->epoch, 4);
    out = put_number(out, state->custody, 1);
    out = put_number(out, state->doubtful ? 1 : 0, 1);
    out = put_number(out, state->registration_id_size, 2);
    return put(out, state->registration_id, state->registration_id_size);
}

size_t evidence_write_checkpoint(const struct evidence_state* state, const uint8_t* report,
                                 size_t report_size, uint8_t out[EVIDENCE_MAX_SIZE]) {
    if (state->registration_id_size > EVIDENCE_MAX_ID || !evidence_is_report(report, report_size))
        return 0;
    uint8_t* end = put(out, checkpoint_label, sizeof checkpoint_label);
    end = put_state(end, state);
    end = put(end, report, report_size);
    return (size_t)(end - out);
}

size_t evidence_write_attestation(const struct evidence_state* state,
                                  const uint8_t nonce[EVIDENCE_NONCE_SIZE],
                                  uint8_t out[EVIDENCE_MAX_SIZE]) {
    if (state->registration_id_size > EVIDENCE_MAX_ID)
        return 0;
    uint8_t* end = put(out, attestation_label, sizeof attestation_label);
    end = put(end, nonce, EVIDENCE_NONCE_SIZE);
    end = put_state(end, state);
    return (size_t)(end - out);
}
