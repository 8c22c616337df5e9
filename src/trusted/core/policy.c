#include "trusted/core/policy.h"

#include "azure/sas_core.h"

enum policy_tag {
    TAG_ID_SCOPE = 1,
    TAG_DPS_HOST = 2,
    TAG_HUBS = 3,
    TAG_MODULES = 4,
    TAG_MAX_LIFETIME = 5,
    TAG_ALLOWANCE = 6,
    TAG_FLEET_KEY = 7,
    TAG_QUARANTINE_MODULE = 8,
    TAG_TIME_KEY = 9
};

typedef mitral_sas_status (*name_rule)(const char* text, size_t size);

static bool is_name(struct span name, name_rule rule) {
    return rule((const char*)name.at, name.size) == MITRAL_SAS_OK;
}

bool trusted_policy_lists(const struct span* names, size_t count, struct span name) {
    for (size_t i = 0; i < count; ++i)
        if (trusted_same(names[i], name))
            return true;
    return false;
}

/* Valid names, each once. */
static bool read_list(struct span value, name_rule rule, struct span* names, size_t limit,
                      size_t* count) {
    struct reader in = trusted_reader(value);
    *count = 0;
    while (!trusted_read_all(&in)) {
        const struct span name = trusted_block(&in);
        if (in.failed || *count == limit || !is_name(name, rule) ||
            trusted_policy_lists(names, *count, name))
            return false;
        names[(*count)++] = name;
    }
    return true;
}

static bool read_field(const struct field* field, struct policy* policy) {
    const struct span value = field->value;
    switch (field->tag) {
        case TAG_ID_SCOPE:
            policy->id_scope = value;
            return is_name(value, mitral_sas_check_id_scope);
        case TAG_DPS_HOST:
            policy->dps_host = value;
            return is_name(value, mitral_sas_check_host);
        case TAG_HUBS:
            return read_list(value, mitral_sas_check_host, policy->hubs, POLICY_MAX_HUBS,
                             &policy->hub_count) &&
                   policy->hub_count > 0;
        case TAG_MODULES:
            return read_list(value, mitral_sas_check_device_id, policy->modules, POLICY_MAX_MODULES,
                             &policy->module_count);
        case TAG_MAX_LIFETIME:
            return trusted_field_u32(value, &policy->max_lifetime_s) &&
                   policy->max_lifetime_s > 0 &&
                   policy->max_lifetime_s <= MITRAL_SAS_MAX_LIFETIME_S;
        case TAG_ALLOWANCE:
            return trusted_field_u32(value, &policy->allowance_s) && policy->allowance_s > 0;
        case TAG_FLEET_KEY:
            policy->fleet_key = value;
            return value.size == 32;
        case TAG_QUARANTINE_MODULE:
            policy->quarantine_module = value;
            return trusted_policy_lists(policy->modules, policy->module_count, value);
        case TAG_TIME_KEY:
            policy->time_key = value;
            return value.size == 32;
        default:
            return false;
    }
}

static bool allowance_fits(const struct policy* policy) {
    return policy->time_key.size == 0 || policy->allowance_s <= POLICY_MAX_ALLOWANCE_WITH_TIME_S;
}

bool trusted_policy_parse(struct span bytes, struct policy* policy) {
    static const struct policy nothing = {0};
    unsigned seen = 0;
    struct fields fields = trusted_fields(bytes);
    struct field field;
    *policy = nothing;
    while (trusted_next_field(&fields, &field)) {
        if (!read_field(&field, policy))
            return false;
        seen |= 1U << field.tag;
    }
    /* The first six always stand, an empty list of modules too: one meaning, one encoding. */
    return !fields.malformed && (seen & 0x7eU) == 0x7eU && bytes.size <= POLICY_MAX_SIZE &&
           allowance_fits(policy);
}
