/* GlobalPlatform TEE Internal Core API 1.3, and OP-TEE's system PTA for the unit's id. */
#include "trusted/optee/zone.h"

#include <string.h>
#include <tee_internal_api.h>

/* Held to the kit's own warnings. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#include <pta_system.h>
#include <utee_syscalls.h>
#pragma GCC diagnostic pop

enum { KEY_BITS = 256, HMAC_BLOCK = 64, TAG_BITS = 128 };

static enum trusted_zone_result verdict(TEE_Result result) {
    return result == TEE_SUCCESS ? ZONE_OK : ZONE_FAILED;
}

/* A transient object with these attributes, and an operation that uses it. */
struct use {
    TEE_ObjectHandle key;
    TEE_OperationHandle operation;
};

static void done(struct use* use) {
    if (use->operation != TEE_HANDLE_NULL)
        TEE_FreeOperation(use->operation);
    if (use->key != TEE_HANDLE_NULL)
        TEE_FreeTransientObject(use->key);
}

static TEE_Result prepare(struct use* use, uint32_t algorithm, uint32_t mode, uint32_t bits,
                          uint32_t type, const TEE_Attribute* attributes, uint32_t count) {
    use->key = TEE_HANDLE_NULL;
    use->operation = TEE_HANDLE_NULL;
    TEE_Result result = TEE_AllocateTransientObject(type, bits, &use->key);
    if (result == TEE_SUCCESS)
        result = TEE_PopulateTransientObject(use->key, attributes, count);
    if (result == TEE_SUCCESS)
        result = TEE_AllocateOperation(&use->operation, algorithm, mode, bits);
    if (result == TEE_SUCCESS)
        result = TEE_SetOperationKey(use->operation, use->key);
    return result;
}

static enum trusted_zone_result zone_random(void* self, uint8_t* out, size_t size) {
    (void)self;
    TEE_GenerateRandom(out, size);
    return ZONE_OK;
}

static enum trusted_zone_result hash(uint32_t algorithm, const uint8_t* data, size_t size,
                                     uint8_t* digest, size_t digest_size) {
    TEE_OperationHandle operation = TEE_HANDLE_NULL;
    TEE_Result result = TEE_AllocateOperation(&operation, algorithm, TEE_MODE_DIGEST, 0);
    if (result == TEE_SUCCESS)
        result = TEE_DigestDoFinal(operation, data, size, digest, &digest_size);
    if (operation != TEE_HANDLE_NULL)
        TEE_FreeOperation(operation);
    return verdict(result);
}

static enum trusted_zone_result zone_sha256(void* self, const uint8_t* data, size_t size,
                                            uint8_t digest[32]) {
    (void)self;
    return hash(TEE_ALG_SHA256, data, size, digest, 32);
}

static enum trusted_zone_result zone_sha512(void* self, const uint8_t* data, size_t size,
                                            uint8_t digest[64]) {
    (void)self;
    return hash(TEE_ALG_SHA512, data, size, digest, 64);
}

static enum trusted_zone_result zone_hmac(void* self, const uint8_t* key, size_t key_size,
                                          const uint8_t* data, size_t size, uint8_t mac[32]) {
    /* RFC 2104 2: a shorter key is one filled up with zeros; the API takes none under 8 bytes. */
    uint8_t block[HMAC_BLOCK] = {0};
    TEE_Attribute attribute;
    struct use use;
    size_t written = 32;
    (void)self;
    if (key_size > sizeof block)
        return ZONE_FAILED;
    memcpy(block, key, key_size);
    TEE_InitRefAttribute(&attribute, TEE_ATTR_SECRET_VALUE, block, sizeof block);
    TEE_Result result = prepare(&use, TEE_ALG_HMAC_SHA256, TEE_MODE_MAC, 8 * HMAC_BLOCK,
                                TEE_TYPE_HMAC_SHA256, &attribute, 1);
    if (result == TEE_SUCCESS) {
        TEE_MACInit(use.operation, NULL, 0);
        result = TEE_MACComputeFinal(use.operation, data, size, mac, &written);
    }
    done(&use);
    TEE_MemFill(block, 0, sizeof block);
    return verdict(result);
}

static enum trusted_zone_result zone_ed25519_verify(void* self, const uint8_t key[32],
                                                    const uint8_t* data, size_t size,
                                                    const uint8_t signature[64]) {
    TEE_Attribute attribute;
    struct use use;
    (void)self;
    TEE_InitRefAttribute(&attribute, TEE_ATTR_ED25519_PUBLIC_VALUE, (void*)(uintptr_t)key, 32);
    TEE_Result result = prepare(&use, TEE_ALG_ED25519, TEE_MODE_VERIFY, KEY_BITS,
                                TEE_TYPE_ED25519_PUBLIC_KEY, &attribute, 1);
    if (result == TEE_SUCCESS)
        result = TEE_AsymmetricVerifyDigest(use.operation, NULL, 0, data, size, signature, 64);
    done(&use);
    return result == TEE_ERROR_SIGNATURE_INVALID ? ZONE_REFUSED : verdict(result);
}

/* Big numbers come out without their leading zeros. */
static TEE_Result attribute_of(TEE_ObjectHandle object, uint32_t name, uint8_t out[32]) {
    uint8_t bytes[32];
    size_t size = sizeof bytes;
    const TEE_Result result = TEE_GetObjectBufferAttribute(object, name, bytes, &size);
    if (result == TEE_SUCCESS) {
        memset(out, 0, 32 - size);
        memcpy(out + 32 - size, bytes, size);
    }
    TEE_MemFill(bytes, 0, sizeof bytes);
    return result;
}

static enum trusted_zone_result zone_x25519_new(void* self, uint8_t secret[32], uint8_t key[32]) {
    TEE_ObjectHandle pair = TEE_HANDLE_NULL;
    (void)self;
    TEE_Result result = TEE_AllocateTransientObject(TEE_TYPE_X25519_KEYPAIR, KEY_BITS, &pair);
    if (result == TEE_SUCCESS)
        result = TEE_GenerateKey(pair, KEY_BITS, NULL, 0);
    if (result == TEE_SUCCESS)
        result = attribute_of(pair, TEE_ATTR_X25519_PRIVATE_VALUE, secret);
    if (result == TEE_SUCCESS)
        result = attribute_of(pair, TEE_ATTR_X25519_PUBLIC_VALUE, key);
    if (pair != TEE_HANDLE_NULL)
        TEE_FreeTransientObject(pair);
    return verdict(result);
}

static enum trusted_zone_result zone_x25519_agree(void* self, const uint8_t secret[32],
                                                  const uint8_t own[32], const uint8_t peer[32],
                                                  uint8_t shared[32]) {
    TEE_Attribute pair[2];
    TEE_Attribute other;
    TEE_ObjectHandle derived = TEE_HANDLE_NULL;
    struct use use;
    (void)self;
    TEE_InitRefAttribute(&pair[0], TEE_ATTR_X25519_PUBLIC_VALUE, (void*)(uintptr_t)own, 32);
    TEE_InitRefAttribute(&pair[1], TEE_ATTR_X25519_PRIVATE_VALUE, (void*)(uintptr_t)secret, 32);
    TEE_InitRefAttribute(&other, TEE_ATTR_X25519_PUBLIC_VALUE, (void*)(uintptr_t)peer, 32);
    TEE_Result result =
        prepare(&use, TEE_ALG_X25519, TEE_MODE_DERIVE, KEY_BITS, TEE_TYPE_X25519_KEYPAIR, pair, 2);
    if (result == TEE_SUCCESS)
        result = TEE_AllocateTransientObject(TEE_TYPE_GENERIC_SECRET, KEY_BITS, &derived);
    if (result == TEE_SUCCESS) {
        TEE_DeriveKey(use.operation, &other, 1, derived);
        result = attribute_of(derived, TEE_ATTR_SECRET_VALUE, shared);
    }
    if (derived != TEE_HANDLE_NULL)
        TEE_FreeTransientObject(derived);
    done(&use);
    return verdict(result);
}

static enum trusted_zone_result zone_p256_new(void* self, uint8_t secret[32], uint8_t key[64]) {
    TEE_ObjectHandle pair = TEE_HANDLE_NULL;
    TEE_Attribute curve;
    (void)self;
    TEE_InitValueAttribute(&curve, TEE_ATTR_ECC_CURVE, TEE_ECC_CURVE_NIST_P256, 0);
    TEE_Result result = TEE_AllocateTransientObject(TEE_TYPE_ECDSA_KEYPAIR, KEY_BITS, &pair);
    if (result == TEE_SUCCESS)
        result = TEE_GenerateKey(pair, KEY_BITS, &curve, 1);
    if (result == TEE_SUCCESS)
        result = attribute_of(pair, TEE_ATTR_ECC_PRIVATE_VALUE, secret);
    if (result == TEE_SUCCESS)
        result = attribute_of(pair, TEE_ATTR_ECC_PUBLIC_VALUE_X, key);
    if (result == TEE_SUCCESS)
        result = attribute_of(pair, TEE_ATTR_ECC_PUBLIC_VALUE_Y, key + 32);
    if (pair != TEE_HANDLE_NULL)
        TEE_FreeTransientObject(pair);
    return verdict(result);
}

static enum trusted_zone_result zone_p256_sign(void* self, const uint8_t secret[32],
                                               const uint8_t key[64], const uint8_t digest[32],
                                               uint8_t signature[64]) {
    TEE_Attribute pair[4];
    struct use use;
    size_t size = 64;
    (void)self;
    TEE_InitValueAttribute(&pair[0], TEE_ATTR_ECC_CURVE, TEE_ECC_CURVE_NIST_P256, 0);
    TEE_InitRefAttribute(&pair[1], TEE_ATTR_ECC_PRIVATE_VALUE, (void*)(uintptr_t)secret, 32);
    TEE_InitRefAttribute(&pair[2], TEE_ATTR_ECC_PUBLIC_VALUE_X, (void*)(uintptr_t)key, 32);
    TEE_InitRefAttribute(&pair[3], TEE_ATTR_ECC_PUBLIC_VALUE_Y, (void*)(uintptr_t)(key + 32), 32);
    TEE_Result result = prepare(&use, TEE_ALG_ECDSA_SHA256, TEE_MODE_SIGN, KEY_BITS,
                                TEE_TYPE_ECDSA_KEYPAIR, pair, 4);
    if (result == TEE_SUCCESS)
        result = TEE_AsymmetricSignDigest(use.operation, NULL, 0, digest, 32, signature, &size);
    done(&use);
    return result == TEE_SUCCESS && size == 64 ? ZONE_OK : ZONE_FAILED;
}

static TEE_Result start_gcm(struct use* use, uint32_t mode, const uint8_t key[32],
                            const uint8_t nonce[ZONE_NONCE_SIZE]) {
    TEE_Attribute attribute;
    TEE_InitRefAttribute(&attribute, TEE_ATTR_SECRET_VALUE, (void*)(uintptr_t)key, 32);
    const TEE_Result result =
        prepare(use, TEE_ALG_AES_GCM, mode, KEY_BITS, TEE_TYPE_AES, &attribute, 1);
    if (result != TEE_SUCCESS)
        return result;
    return TEE_AEInit(use->operation, nonce, ZONE_NONCE_SIZE, TAG_BITS, 0, 0);
}

static enum trusted_zone_result zone_seal(void* self, const uint8_t key[32],
                                          const uint8_t nonce[ZONE_NONCE_SIZE],
                                          const uint8_t* plain, size_t size, uint8_t* out) {
    struct use use;
    size_t written = size;
    size_t tag = ZONE_TAG_SIZE;
    (void)self;
    TEE_Result result = start_gcm(&use, TEE_MODE_ENCRYPT, key, nonce);
    if (result == TEE_SUCCESS)
        result = TEE_AEEncryptFinal(use.operation, plain, size, out, &written, out + size, &tag);
    done(&use);
    return verdict(result);
}

static enum trusted_zone_result zone_open(void* self, const uint8_t key[32],
                                          const uint8_t nonce[ZONE_NONCE_SIZE],
                                          const uint8_t* sealed, size_t size, uint8_t* out) {
    struct use use;
    uint8_t tag[ZONE_TAG_SIZE];
    (void)self;
    if (size < sizeof tag)
        return ZONE_REFUSED;
    size_t written = size - sizeof tag;
    memcpy(tag, sealed + written, sizeof tag);
    TEE_Result result = start_gcm(&use, TEE_MODE_DECRYPT, key, nonce);
    if (result == TEE_SUCCESS)
        result = TEE_AEDecryptFinal(use.operation, sealed, size - sizeof tag, out, &written, tag,
                                    sizeof tag);
    done(&use);
    return result == TEE_ERROR_MAC_INVALID ? ZONE_REFUSED : verdict(result);
}

/* TEE_ERROR_SECURITY stands for the whole storage: gone, or older than the platform's counter. */
static enum trusted_zone_result storage_verdict(TEE_Result result) {
    switch (result) {
        case TEE_SUCCESS:
            return ZONE_OK;
        case TEE_ERROR_ITEM_NOT_FOUND:
            return ZONE_MISSING;
        case TEE_ERROR_CORRUPT_OBJECT:
        case TEE_ERROR_CORRUPT_OBJECT_2:
            return ZONE_REFUSED;
        case TEE_ERROR_SECURITY:
            return ZONE_STORAGE_REFUSED;
        default:
            return ZONE_FAILED;
    }
}

/* TEE_OpenPersistentObject and TEE_CreatePersistentObject end the Trusted Application on
 * TEE_ERROR_SECURITY, and readings would end with it; the calls below them only say so. */
static TEE_Result open_object(uint8_t name, TEE_ObjectHandle* handle) {
    uint32_t number = 0;
    const TEE_Result result = _utee_storage_obj_open(TEE_STORAGE_PRIVATE, &name, sizeof name,
                                                     TEE_DATA_FLAG_ACCESS_READ, &number);
    *handle = result == TEE_SUCCESS ? (TEE_ObjectHandle)(uintptr_t)number : TEE_HANDLE_NULL;
    return result;
}

static TEE_Result create_object(uint8_t name, const uint8_t* data, size_t size,
                                TEE_ObjectHandle* handle) {
    uint32_t number = 0;
    const TEE_Result result = _utee_storage_obj_create(
        TEE_STORAGE_PRIVATE, &name, sizeof name,
        TEE_DATA_FLAG_ACCESS_WRITE | TEE_DATA_FLAG_OVERWRITE, 0, data, size, &number);
    *handle = result == TEE_SUCCESS ? (TEE_ObjectHandle)(uintptr_t)number : TEE_HANDLE_NULL;
    return result;
}

static enum trusted_zone_result zone_load(void* self, enum trusted_object object, uint8_t* out,
                                          size_t capacity, size_t* size) {
    TEE_ObjectHandle handle = TEE_HANDLE_NULL;
    TEE_ObjectInfo info;
    (void)self;
    *size = 0;
    TEE_Result result = open_object((uint8_t)object, &handle);
    if (result == TEE_SUCCESS)
        result = TEE_GetObjectInfo1(handle, &info);
    if (result == TEE_SUCCESS && info.dataSize > capacity)
        result = TEE_ERROR_CORRUPT_OBJECT;
    if (result == TEE_SUCCESS)
        result = TEE_ReadObjectData(handle, out, info.dataSize, size);
    if (result == TEE_SUCCESS && *size != info.dataSize)
        result = TEE_ERROR_CORRUPT_OBJECT;
    TEE_CloseObject(handle);
    return storage_verdict(result);
}

/* OP-TEE writes the object beside the old one and changes the directory in one step. */
static enum trusted_zone_result zone_replace(void* self, enum trusted_object object,
                                             const uint8_t* data, size_t size) {
    TEE_ObjectHandle handle = TEE_HANDLE_NULL;
    (void)self;
    const TEE_Result result = create_object((uint8_t)object, data, size, &handle);
    TEE_CloseObject(handle);
    return storage_verdict(result);
}

/* A digest of what the hardware key gives this Trusted Application alone. */
static enum trusted_zone_result zone_unit_id(void* self, uint8_t id[32]) {
    static const TEE_UUID system = PTA_SYSTEM_UUID;
    static const char label[] = "mitral unit id 1";
    uint8_t derived[32];
    TEE_TASessionHandle session = TEE_HANDLE_NULL;
    TEE_Param params[TEE_NUM_PARAMS] = {0};
    const uint32_t types =
        TEE_PARAM_TYPES(TEE_PARAM_TYPE_MEMREF_INPUT, TEE_PARAM_TYPE_MEMREF_OUTPUT,
                        TEE_PARAM_TYPE_NONE, TEE_PARAM_TYPE_NONE);
    uint32_t origin = 0;
    params[0].memref.buffer = (void*)(uintptr_t)label;
    params[0].memref.size = sizeof label;
    params[1].memref.buffer = derived;
    params[1].memref.size = sizeof derived;
    TEE_Result result =
        TEE_OpenTASession(&system, TEE_TIMEOUT_INFINITE, 0, NULL, &session, &origin);
    if (result == TEE_SUCCESS)
        result = TEE_InvokeTACommand(session, TEE_TIMEOUT_INFINITE, PTA_SYSTEM_DERIVE_TA_UNIQUE_KEY,
                                     types, params, &origin);
    TEE_CloseTASession(session);
    if (result != TEE_SUCCESS)
        return ZONE_FAILED;
    const enum trusted_zone_result digest = zone_sha256(self, derived, sizeof derived, id);
    TEE_MemFill(derived, 0, sizeof derived);
    return digest;
}

/* Time since the start of this board, by the secure world's counter. */
static enum trusted_zone_result zone_uptime(void* self, uint64_t* now_ms) {
    TEE_Time now;
    (void)self;
    TEE_GetSystemTime(&now);
    *now_ms = (uint64_t)now.seconds * 1000 + now.millis;
    return ZONE_OK;
}

#ifdef TRUSTED_STATION_KEY
static const uint8_t built_in_station_key[32] = TRUSTED_STATION_KEY;
#define STATION_KEY built_in_station_key
#else
#define STATION_KEY NULL
#endif

const struct trusted_zone trusted_optee_zone = {
    .self = NULL,
    .station_key = STATION_KEY,
    .random = zone_random,
    .sha256 = zone_sha256,
    .sha512 = zone_sha512,
    .hmac_sha256 = zone_hmac,
    .ed25519_verify = zone_ed25519_verify,
    .x25519_new = zone_x25519_new,
    .x25519_agree = zone_x25519_agree,
    .p256_new = zone_p256_new,
    .p256_sign = zone_p256_sign,
    .seal = zone_seal,
    .open = zone_open,
    .load = zone_load,
    .replace = zone_replace,
    .unit_id = zone_unit_id,
    .uptime = zone_uptime,
};
