/* What a unit may ask tokens for: the policy of an order, seen in place. Same format and same
 * refusals as vault/policy.cpp, and one encoding only (docs/formats/vault-protocol.md). */
#pragma once

#include "trusted/core/bytes.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
    POLICY_MAX_HUBS = 8,
    POLICY_MAX_MODULES = 4,
    /* the longest names everywhere; also fits an order */
    POLICY_MAX_SIZE = 3072,
    /* beside a time authority; vault/order.hpp says why */
    POLICY_MAX_ALLOWANCE_WITH_TIME_S = 7 * 86400
};

/* Points into the bytes it was parsed from. */
struct policy {
    struct span id_scope;
    struct span dps_host;
    struct span hubs[POLICY_MAX_HUBS];
    size_t hub_count;
    struct span modules[POLICY_MAX_MODULES];
    size_t module_count;
    struct span quarantine_module; /* may be empty */
    struct span fleet_key;         /* 32 bytes or none */
    struct span time_key;          /* of the time authority: 32 bytes or none */
    uint32_t max_lifetime_s;
    uint32_t allowance_s;
};

bool trusted_policy_parse(struct span bytes, struct policy* policy);
bool trusted_policy_lists(const struct span* names, size_t count, struct span name);

#ifdef __cplusplus
}
#endif
