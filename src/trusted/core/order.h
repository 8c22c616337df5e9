/* Orders of station and fleet, seen in place: same format and same refusals as vault/order.cpp. */
#pragma once

#include "trusted/core/policy.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { ORDER_MAX_SIZE = 3584, ORDER_SIGNATURE_SIZE = 64, ORDER_NONCE_SIZE = 32 };
/* By so much a counter may always rise; vault/order.hpp says why. */
enum { ORDER_COUNTER_STEP = 1 << 20 };

enum order_kind {
    ORDER_PROVISION = 1,
    ORDER_ROTATE = 2,
    ORDER_CONFIRM_ROTATION = 3,
    ORDER_POLICY = 4,
    ORDER_QUARANTINE = 5,
    ORDER_RELEASE = 6,
    ORDER_WIPE = 7
};

enum order_signer { SIGNER_STATION = 1, SIGNER_FLEET = 2 };

/* Points into the bytes it was parsed from. A size of 0 means that the field is not there. */
struct order {
    enum order_kind kind;
    enum order_signer signer;
    struct span registration_id;
    uint64_t counter;
    struct span nonce;
    int64_t time_s; /* 0: none */
    struct span policy_bytes;
    struct policy policy;
    struct span device_key;   /* the blob of the first key */
    size_t key_count;         /* with those of modules */
    struct span subject_key;  /* a blob */
    struct span body;         /* what the signature is over, after its domain */
    const uint8_t* signature; /* ORDER_SIGNATURE_SIZE bytes */
};

/* Checks the form only: nothing in the order may be trusted before its signature is verified. */
bool trusted_order_parse(struct span bytes, struct order* order);

#ifdef __cplusplus
}
#endif
