/* The part of custody that makes tokens. */
#include "trusted/core/custody.h"

static struct span bytes_of(const char* text, size_t size) {
    const struct span span = {(const uint8_t*)text, size};
    return span;
}

/* Fills trusted->policy, for the calls that follow. */
static enum trusted_status check_may_mint(struct trusted* trusted, struct span module) {
    const struct custody* custody = &trusted->custody;
    const struct span policy = {custody->policy, custody->policy_size};
    if (!trusted_has_identity(custody))
        return TRUSTED_NOT_PROVISIONED;
    if (!trusted_policy_parse(policy, &trusted->policy))
        return TRUSTED_FAILURE;
    const bool alerts = module.size > 0 && trusted_same(module, trusted->policy.quarantine_module);
    if (custody->state == STATE_QUARANTINED && !alerts)
        return TRUSTED_QUARANTINED;
    return TRUSTED_OK;
}

static enum trusted_status expiry_for(const struct trusted* trusted,
                                      const struct token_request* request, int64_t* expiry_s) {
    const int64_t floor = trusted->custody.time_floor_s;
    int64_t signed_s = 0;
    if (request->lifetime_s <= 0 || request->lifetime_s > trusted->policy.max_lifetime_s ||
        request->lifetime_s > MITRAL_SAS_MAX_LIFETIME_S)
        return TRUSTED_LIFETIME_REFUSED;
    /* By signed time whatever the normal world claims; without it the claim has bounds. */
    const enum trusted_status known = trusted_signed_time(trusted, &signed_s);
    if (known == TRUSTED_FAILURE)
        return known;
    if (known == TRUSTED_OK)
        return mitral_sas_expiry(signed_s, request->lifetime_s, expiry_s) == MITRAL_SAS_OK
                   ? TRUSTED_OK
                   : TRUSTED_CLOCK_REFUSED;
    if (request->now_s < floor ||
        mitral_sas_expiry(request->now_s, request->lifetime_s, expiry_s) != MITRAL_SAS_OK ||
        *expiry_s - floor > (int64_t)trusted->policy.allowance_s)
        return TRUSTED_CLOCK_REFUSED;
    return TRUSTED_OK;
}

/* A ceiling is stored ahead, and the next start begins at it: the count may jump there, and repeats
 * nothing. Flash and the platform's counter would wear out under a write for each token. */
static enum trusted_status count_mint(struct trusted* trusted) {
    if (trusted->mints >= trusted->mint_ceiling) {
        trusted->mint_ceiling = trusted->mints + TRUSTED_MINTS_AHEAD;
        if (trusted_save_ratchet(trusted, &trusted->custody) != TRUSTED_OK) {
            trusted->mint_ceiling = trusted->mints;
            return TRUSTED_FAILURE;
        }
    }
    ++trusted->mints;
    return TRUSTED_OK;
}

static enum trusted_status sign(struct trusted* trusted, size_t resource_size, struct span module,
                                const char* policy, struct token* token) {
    uint8_t mac[32];
    size_t encoded = 0;
    size_t to_sign = 0;
    size_t policy_size = 0;
    while (policy[policy_size] != '\0')
        ++policy_size;
    if (mitral_sas_encode(trusted->resource, resource_size, trusted->encoded,
                          sizeof trusted->encoded, &encoded) != MITRAL_SAS_OK ||
        mitral_sas_to_sign(trusted->encoded, encoded, token->expiry_s, trusted->to_sign,
                           sizeof trusted->to_sign, &to_sign) != MITRAL_SAS_OK)
        return TRUSTED_FAILURE;
    /* Counted first: a token that nobody counted must not exist. */
    if (count_mint(trusted) != TRUSTED_OK)
        return TRUSTED_FAILURE;
    if (trusted_key_mac(trusted->zone, &trusted->custody.active, module,
                        bytes_of(trusted->to_sign, to_sign), mac) != ZONE_OK)
        return TRUSTED_FAILURE;
    const mitral_sas_status status =
        mitral_sas_assemble(trusted->encoded, encoded, mac, token->expiry_s, policy, policy_size,
                            token->text, sizeof token->text, &token->size);
    trusted_wipe(mac, sizeof mac);
    return status == MITRAL_SAS_OK ? TRUSTED_OK : TRUSTED_FAILURE;
}

enum trusted_status trusted_mint_hub(struct trusted* trusted, const struct token_request* request,
                                     struct token* token) {
    const struct custody* custody = &trusted->custody;
    const struct policy* policy = &trusted->policy;
    size_t resource = 0;
    enum trusted_status status = check_may_mint(trusted, request->module);
    if (status != TRUSTED_OK)
        return status;
    if (!trusted_policy_lists(policy->hubs, policy->hub_count, request->hub) ||
        (request->module.size > 0 &&
         !trusted_policy_lists(policy->modules, policy->module_count, request->module)))
        return TRUSTED_NOT_LISTED;
    status = expiry_for(trusted, request, &token->expiry_s);
    if (status != TRUSTED_OK)
        return status;
    if (mitral_sas_hub_resource(
            (const char*)request->hub.at, request->hub.size, (const char*)custody->registration_id,
            custody->registration_id_size, (const char*)request->module.at, request->module.size,
            trusted->resource, sizeof trusted->resource, &resource) != MITRAL_SAS_OK)
        return TRUSTED_FAILURE;
    return sign(trusted, resource, request->module, "", token);
}

enum trusted_status trusted_mint_registration(struct trusted* trusted,
                                              const struct token_request* request,
                                              struct token* token) {
    static const struct span device = {NULL, 0};
    const struct custody* custody = &trusted->custody;
    const struct policy* policy = &trusted->policy;
    size_t resource = 0;
    enum trusted_status status = check_may_mint(trusted, device);
    if (status == TRUSTED_OK)
        status = expiry_for(trusted, request, &token->expiry_s);
    if (status != TRUSTED_OK)
        return status;
    if (mitral_sas_registration_resource((const char*)policy->id_scope.at, policy->id_scope.size,
                                         (const char*)custody->registration_id,
                                         custody->registration_id_size, trusted->resource,
                                         sizeof trusted->resource, &resource) != MITRAL_SAS_OK)
        return TRUSTED_FAILURE;
    return sign(trusted, resource, device, "registration", token);
}
