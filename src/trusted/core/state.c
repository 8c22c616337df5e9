#include "trusted/core/state.h"

enum state_tag {
    TAG_STATE = 1,
    TAG_FLOOR = 2,
    TAG_COUNTER = 3,
    TAG_REGISTRATION_ID = 4,
    TAG_STATION_KEY = 5,
    TAG_POLICY = 6,
    TAG_ACTIVE = 7,
    TAG_PENDING = 8,
    TAG_SUBJECT = 9,
    TAG_UNIT = 10
};

static const uint8_t custody_magic[4] = {'M', 'T', 'C', '1'};
static const uint8_t unit_magic[4] = {'M', 'T', 'U', '1'};
static const uint8_t ratchet_magic[4] = {'M', 'T', 'R', '1'};

bool trusted_has_identity(const struct custody* custody) {
    return custody->state == STATE_READY || custody->state == STATE_QUARANTINED;
}

static void put_if_any(struct writer* out, uint8_t tag, const uint8_t* at, size_t size) {
    const struct span value = {at, size};
    if (size > 0)
        trusted_put_field(out, tag, value);
}

size_t trusted_custody_encode(const struct custody* custody, uint8_t bytes[CUSTODY_MAX_ENCODED]) {
    struct writer out = trusted_writer(bytes, CUSTODY_MAX_ENCODED);
    const uint8_t state = (uint8_t)custody->state;
    trusted_put(&out, custody_magic, sizeof custody_magic);
    put_if_any(&out, TAG_STATE, &state, 1);
    trusted_put_field_u64(&out, TAG_FLOOR, (uint64_t)custody->time_floor_s);
    trusted_put_field_u64(&out, TAG_COUNTER, custody->order_counter);
    put_if_any(&out, TAG_REGISTRATION_ID, custody->registration_id, custody->registration_id_size);
    if (trusted_has_identity(custody))
        put_if_any(&out, TAG_STATION_KEY, custody->station_key, sizeof custody->station_key);
    put_if_any(&out, TAG_POLICY, custody->policy, custody->policy_size);
    put_if_any(&out, TAG_ACTIVE, custody->active.bytes, custody->active.size);
    put_if_any(&out, TAG_PENDING, custody->pending.bytes, custody->pending.size);
    put_if_any(&out, TAG_SUBJECT, custody->subject.bytes, custody->subject.size);
    put_if_any(&out, TAG_UNIT, custody->unit, sizeof custody->unit);
    return out.overflow ? 0 : out.used;
}

static bool read_bytes(struct span value, uint8_t* out, size_t capacity, size_t* size) {
    if (value.size == 0 || value.size > capacity)
        return false;
    trusted_copy(out, value.at, value.size);
    *size = value.size;
    return true;
}

static bool read_key(struct span value, struct key* key) {
    return read_bytes(value, key->bytes, sizeof key->bytes, &key->size);
}

static bool read_state(struct span value, struct custody* custody) {
    if (value.size != 1 || value.at[0] > STATE_WIPED)
        return false;
    custody->state = (enum custody_state)value.at[0];
    return true;
}

static bool read_floor(struct span value, struct custody* custody) {
    uint64_t floor = 0;
    if (!trusted_field_u64(value, &floor) || floor > (uint64_t)MITRAL_SAS_MAX_TIME_S)
        return false;
    custody->time_floor_s = (int64_t)floor;
    return true;
}

static bool read_field(const struct field* field, struct custody* custody) {
    const struct span value = field->value;
    size_t ignored = 0;
    switch (field->tag) {
        case TAG_STATE:
            return read_state(value, custody);
        case TAG_FLOOR:
            return read_floor(value, custody);
        case TAG_COUNTER:
            return trusted_field_u64(value, &custody->order_counter);
        case TAG_REGISTRATION_ID:
            return read_bytes(value, custody->registration_id, sizeof custody->registration_id,
                              &custody->registration_id_size);
        case TAG_STATION_KEY:
            return value.size == sizeof custody->station_key &&
                   read_bytes(value, custody->station_key, sizeof custody->station_key, &ignored);
        case TAG_POLICY:
            return read_bytes(value, custody->policy, sizeof custody->policy,
                              &custody->policy_size);
        case TAG_ACTIVE:
            return read_key(value, &custody->active);
        case TAG_PENDING:
            return read_key(value, &custody->pending);
        case TAG_SUBJECT:
            return read_key(value, &custody->subject);
        case TAG_UNIT:
            return value.size == sizeof custody->unit &&
                   read_bytes(value, custody->unit, sizeof custody->unit, &ignored);
        default:
            return false;
    }
}

static bool is_whole(const struct custody* custody, unsigned seen) {
    const unsigned always = 1U << TAG_STATE | 1U << TAG_FLOOR | 1U << TAG_COUNTER | 1U << TAG_UNIT;
    const unsigned identity =
        1U << TAG_REGISTRATION_ID | 1U << TAG_STATION_KEY | 1U << TAG_POLICY | 1U << TAG_ACTIVE;
    if (!trusted_has_identity(custody))
        return seen == always;
    const unsigned optional = 1U << TAG_PENDING | 1U << TAG_SUBJECT;
    return (seen & ~optional) == (always | identity);
}

bool trusted_custody_decode(struct span bytes, struct custody* custody) {
    static const struct custody nothing = {0};
    const struct span magic = {custody_magic, sizeof custody_magic};
    struct reader in = trusted_reader(bytes);
    unsigned seen = 0;
    *custody = nothing;
    if (!trusted_same(trusted_take(&in, magic.size), magic))
        return false;
    const struct span rest = {in.at, in.left};
    struct fields fields = trusted_fields(rest);
    struct field field;
    while (trusted_next_field(&fields, &field)) {
        if (!read_field(&field, custody))
            return false;
        seen |= 1U << field.tag;
    }
    return !fields.malformed && is_whole(custody, seen);
}

void trusted_unit_encode(const struct unit_keys* keys, uint8_t bytes[UNIT_ENCODED]) {
    struct writer out = trusted_writer(bytes, UNIT_ENCODED);
    trusted_put(&out, unit_magic, sizeof unit_magic);
    trusted_put(&out, keys->data_root, sizeof keys->data_root);
    trusted_put(&out, keys->attestation_secret, sizeof keys->attestation_secret);
    trusted_put(&out, keys->attestation_key, sizeof keys->attestation_key);
}

bool trusted_unit_decode(struct span bytes, struct unit_keys* keys) {
    const struct span magic = {unit_magic, sizeof unit_magic};
    struct reader in = trusted_reader(bytes);
    if (bytes.size != UNIT_ENCODED || !trusted_same(trusted_take(&in, magic.size), magic))
        return false;
    trusted_copy(keys->data_root, trusted_take(&in, KEY_SIZE).at, KEY_SIZE);
    trusted_copy(keys->attestation_secret, trusted_take(&in, 32).at, 32);
    trusted_copy(keys->attestation_key, trusted_take(&in, 64).at, 64);
    return true;
}

void trusted_ratchet_encode(const struct ratchet* ratchet, uint8_t bytes[RATCHET_ENCODED]) {
    struct writer out = trusted_writer(bytes, RATCHET_ENCODED);
    trusted_put(&out, ratchet_magic, sizeof ratchet_magic);
    trusted_put_u64(&out, ratchet->mint_ceiling);
    trusted_put_u64(&out, (uint64_t)ratchet->time_floor_s);
    trusted_put_u64(&out, ratchet->order_counter);
}

bool trusted_ratchet_decode(struct span bytes, struct ratchet* ratchet) {
    const struct span magic = {ratchet_magic, sizeof ratchet_magic};
    struct reader in = trusted_reader(bytes);
    if (bytes.size != RATCHET_ENCODED || !trusted_same(trusted_take(&in, magic.size), magic))
        return false;
    const uint64_t ceiling = trusted_u64(&in);
    const uint64_t floor = trusted_u64(&in);
    if (floor > (uint64_t)MITRAL_SAS_MAX_TIME_S)
        return false;
    ratchet->mint_ceiling = ceiling;
    ratchet->time_floor_s = (int64_t)floor;
    ratchet->order_counter = trusted_u64(&in);
    return true;
}
