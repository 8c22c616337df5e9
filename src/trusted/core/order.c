#include "trusted/core/order.h"

#include "azure/sas_core.h"

enum order_tag {
    TAG_REGISTRATION_ID = 1,
    TAG_COUNTER = 2,
    TAG_NONCE = 3,
    TAG_TIME = 4,
    TAG_POLICY = 5,
    TAG_KEYS = 6,
    TAG_REASON = 7,
    TAG_SUBJECT_KEY = 8
};

enum { MAX_REASON = 64 };

static const uint8_t magic[4] = {'M', 'V', 'O', '1'};

static bool is_id(struct span id) {
    return mitral_sas_check_device_id((const char*)id.at, id.size) == MITRAL_SAS_OK;
}

static bool is_reason(struct span text) {
    for (size_t i = 0; i < text.size; ++i)
        if (text.at[i] < 0x20 || text.at[i] > 0x7e)
            return false;
    return text.size > 0 && text.size <= MAX_REASON;
}

/* The device's first, with an empty name; then each module's at most once. */
static bool read_keys(struct span value, struct order* order) {
    struct span modules[POLICY_MAX_MODULES];
    struct reader in = trusted_reader(value);
    while (!trusted_read_all(&in)) {
        const struct span module = trusted_block(&in);
        const struct span blob = trusted_block(&in);
        const size_t count = order->key_count;
        if (in.failed || blob.size == 0 || count == POLICY_MAX_MODULES + 1)
            return false;
        if (count == 0) {
            order->device_key = blob;
            if (module.size != 0)
                return false;
        } else {
            if (!is_id(module) || trusted_policy_lists(modules, count - 1, module))
                return false;
            modules[count - 1] = module;
        }
        order->key_count = count + 1;
    }
    return order->key_count > 0;
}

static bool read_time(struct span value, struct order* order) {
    uint64_t time = 0;
    if (!trusted_field_u64(value, &time) || time == 0 || time > (uint64_t)MITRAL_SAS_MAX_TIME_S)
        return false;
    order->time_s = (int64_t)time;
    return true;
}

static bool read_field(const struct field* field, struct order* order) {
    const struct span value = field->value;
    switch (field->tag) {
        case TAG_REGISTRATION_ID:
            order->registration_id = value;
            return mitral_sas_check_registration_id((const char*)value.at, value.size) ==
                   MITRAL_SAS_OK;
        case TAG_COUNTER:
            return trusted_field_u64(value, &order->counter) && order->counter > 0;
        case TAG_NONCE:
            order->nonce = value;
            return value.size == ORDER_NONCE_SIZE;
        case TAG_TIME:
            return read_time(value, order);
        case TAG_POLICY:
            order->policy_bytes = value;
            return trusted_policy_parse(value, &order->policy);
        case TAG_KEYS:
            return read_keys(value, order);
        case TAG_REASON:
            return is_reason(value);
        case TAG_SUBJECT_KEY:
            order->subject_key = value;
            return value.size > 0;
        default:
            return false;
    }
}

static unsigned bit(unsigned tag) {
    return 1U << tag;
}

/* Exactly the fields its kind needs: nothing is silently ignored. */
static bool fields_fit(enum order_kind kind, unsigned seen) {
    const unsigned always = bit(TAG_REGISTRATION_ID) | bit(TAG_COUNTER);
    unsigned needed = always;
    unsigned allowed = always | bit(TAG_TIME);
    if (kind == ORDER_PROVISION)
        needed |= bit(TAG_NONCE) | bit(TAG_TIME) | bit(TAG_POLICY) | bit(TAG_KEYS);
    if (kind == ORDER_ROTATE)
        needed |= bit(TAG_KEYS);
    if (kind == ORDER_POLICY)
        needed |= bit(TAG_POLICY);
    if (kind == ORDER_PROVISION || kind == ORDER_POLICY)
        allowed |= bit(TAG_SUBJECT_KEY);
    if (kind == ORDER_QUARANTINE || kind == ORDER_WIPE)
        allowed |= bit(TAG_REASON);
    return (seen & needed) == needed && (seen & ~(needed | allowed)) == 0;
}

static bool read_header(struct reader* in, struct order* order) {
    const struct span expected = {magic, sizeof magic};
    const struct span start = trusted_take(in, sizeof magic);
    const unsigned kind = trusted_u8(in);
    const unsigned signer = trusted_u8(in);
    if (in->failed || !trusted_same(start, expected) || kind < ORDER_PROVISION ||
        kind > ORDER_WIPE || signer < SIGNER_STATION || signer > SIGNER_FLEET)
        return false;
    order->kind = (enum order_kind)kind;
    order->signer = (enum order_signer)signer;
    return order->kind != ORDER_PROVISION || order->signer == SIGNER_STATION;
}

bool trusted_order_parse(struct span bytes, struct order* order) {
    static const struct order nothing = {0};
    *order = nothing;
    if (bytes.size > ORDER_MAX_SIZE || bytes.size < ORDER_SIGNATURE_SIZE)
        return false;
    order->body.at = bytes.at;
    order->body.size = bytes.size - ORDER_SIGNATURE_SIZE;
    order->signature = bytes.at + order->body.size;

    struct reader in = trusted_reader(order->body);
    if (!read_header(&in, order))
        return false;
    const struct span rest = {in.at, in.left};
    struct fields fields = trusted_fields(rest);
    struct field field;
    unsigned seen = 0;
    while (trusted_next_field(&fields, &field)) {
        if (!read_field(&field, order))
            return false;
        seen |= bit(field.tag);
    }
    return !fields.malformed && fields_fit(order->kind, seen);
}
