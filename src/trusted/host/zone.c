#include "trusted/host/zone.h"

#include <fcntl.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/param_build.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { MAX_OBJECT = 8192, MAX_PATH = 640 };

static enum trusted_zone_result verdict(int good) {
    return good ? ZONE_OK : ZONE_FAILED;
}

static enum trusted_zone_result host_random(void* self, uint8_t* out, size_t size) {
    (void)self;
    return verdict(RAND_bytes(out, (int)size) == 1);
}

static enum trusted_zone_result host_sha256(void* self, const uint8_t* data, size_t size,
                                            uint8_t digest[32]) {
    (void)self;
    return verdict(SHA256(data, size, digest) != NULL);
}

static enum trusted_zone_result host_sha512(void* self, const uint8_t* data, size_t size,
                                            uint8_t digest[64]) {
    (void)self;
    return verdict(SHA512(data, size, digest) != NULL);
}

static enum trusted_zone_result host_hmac(void* self, const uint8_t* key, size_t key_size,
                                          const uint8_t* data, size_t size, uint8_t mac[32]) {
    unsigned written = 0;
    (void)self;
    return verdict(HMAC(EVP_sha256(), key, (int)key_size, data, size, mac, &written) != NULL &&
                   written == 32);
}

static enum trusted_zone_result host_ed25519_verify(void* self, const uint8_t key[32],
                                                    const uint8_t* data, size_t size,
                                                    const uint8_t signature[64]) {
    EVP_PKEY* with = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, key, 32);
    EVP_MD_CTX* context = EVP_MD_CTX_new();
    (void)self;
    const int good = with != NULL && context != NULL &&
                     EVP_DigestVerifyInit(context, NULL, NULL, NULL, with) == 1 &&
                     EVP_DigestVerify(context, signature, 64, data, size) == 1;
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(with);
    return good ? ZONE_OK : ZONE_REFUSED;
}

static enum trusted_zone_result host_x25519_new(void* self, uint8_t secret[32], uint8_t key[32]) {
    EVP_PKEY* pair = EVP_PKEY_Q_keygen(NULL, NULL, "X25519");
    size_t secret_size = 32;
    size_t key_size = 32;
    (void)self;
    const int good = pair != NULL &&
                     EVP_PKEY_get_raw_private_key(pair, secret, &secret_size) == 1 &&
                     EVP_PKEY_get_raw_public_key(pair, key, &key_size) == 1;
    EVP_PKEY_free(pair);
    return verdict(good);
}

static enum trusted_zone_result host_x25519_agree(void* self, const uint8_t secret[32],
                                                  const uint8_t own[32], const uint8_t peer[32],
                                                  uint8_t shared[32]) {
    EVP_PKEY* mine = EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL, secret, 32);
    EVP_PKEY* theirs = EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, NULL, peer, 32);
    EVP_PKEY_CTX* context = mine != NULL ? EVP_PKEY_CTX_new(mine, NULL) : NULL;
    size_t size = 32;
    (void)self;
    (void)own;
    const int good = context != NULL && theirs != NULL && EVP_PKEY_derive_init(context) == 1 &&
                     EVP_PKEY_derive_set_peer(context, theirs) == 1 &&
                     EVP_PKEY_derive(context, shared, &size) == 1 && size == 32;
    EVP_PKEY_CTX_free(context);
    EVP_PKEY_free(theirs);
    EVP_PKEY_free(mine);
    return good ? ZONE_OK : ZONE_REFUSED;
}

static enum trusted_zone_result host_p256_new(void* self, uint8_t secret[32], uint8_t key[64]) {
    EVP_PKEY* pair = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
    BIGNUM* number = NULL;
    uint8_t point[65];
    size_t size = 0;
    (void)self;
    const int good = pair != NULL &&
                     EVP_PKEY_get_bn_param(pair, OSSL_PKEY_PARAM_PRIV_KEY, &number) == 1 &&
                     BN_bn2binpad(number, secret, 32) == 32 &&
                     EVP_PKEY_get_octet_string_param(pair, OSSL_PKEY_PARAM_PUB_KEY, point,
                                                     sizeof point, &size) == 1 &&
                     size == sizeof point && point[0] == 4;
    if (good)
        memcpy(key, point + 1, 64);
    BN_clear_free(number);
    EVP_PKEY_free(pair);
    return verdict(good);
}

static EVP_PKEY* p256_pair(const uint8_t secret[32], const uint8_t key[64]) {
    uint8_t point[65] = {4};
    BIGNUM* number = BN_bin2bn(secret, 32, NULL);
    OSSL_PARAM_BLD* builder = OSSL_PARAM_BLD_new();
    OSSL_PARAM* parameters = NULL;
    EVP_PKEY_CTX* context = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    EVP_PKEY* pair = NULL;
    memcpy(point + 1, key, 64);
    if (number != NULL && builder != NULL && context != NULL &&
        OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME, "P-256", 0) == 1 &&
        OSSL_PARAM_BLD_push_octet_string(builder, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof point) ==
            1 &&
        OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_PRIV_KEY, number) == 1)
        parameters = OSSL_PARAM_BLD_to_param(builder);
    if (parameters != NULL &&
        (EVP_PKEY_fromdata_init(context) != 1 ||
         EVP_PKEY_fromdata(context, &pair, EVP_PKEY_KEYPAIR, parameters) != 1))
        pair = NULL;
    OSSL_PARAM_free(parameters);
    OSSL_PARAM_BLD_free(builder);
    EVP_PKEY_CTX_free(context);
    BN_clear_free(number);
    return pair;
}

/* From the DER that OpenSSL writes to r | s. */
static int raw_signature(const uint8_t* der, size_t size, uint8_t signature[64]) {
    ECDSA_SIG* parsed = d2i_ECDSA_SIG(NULL, &der, (long)size);
    const int good = parsed != NULL &&
                     BN_bn2binpad(ECDSA_SIG_get0_r(parsed), signature, 32) == 32 &&
                     BN_bn2binpad(ECDSA_SIG_get0_s(parsed), signature + 32, 32) == 32;
    ECDSA_SIG_free(parsed);
    return good;
}

static enum trusted_zone_result host_p256_sign(void* self, const uint8_t secret[32],
                                               const uint8_t key[64], const uint8_t digest[32],
                                               uint8_t signature[64]) {
    EVP_PKEY* pair = p256_pair(secret, key);
    EVP_PKEY_CTX* context = pair != NULL ? EVP_PKEY_CTX_new(pair, NULL) : NULL;
    uint8_t der[80];
    size_t size = sizeof der;
    (void)self;
    const int good = context != NULL && EVP_PKEY_sign_init(context) == 1 &&
                     EVP_PKEY_sign(context, der, &size, digest, 32) == 1 &&
                     raw_signature(der, size, signature);
    EVP_PKEY_CTX_free(context);
    EVP_PKEY_free(pair);
    return verdict(good);
}

static enum trusted_zone_result host_seal(void* self, const uint8_t key[32],
                                          const uint8_t nonce[ZONE_NONCE_SIZE],
                                          const uint8_t* plain, size_t size, uint8_t* out) {
    EVP_CIPHER_CTX* context = EVP_CIPHER_CTX_new();
    int written = 0;
    int last = 0;
    (void)self;
    const int good =
        context != NULL && EVP_EncryptInit_ex(context, EVP_aes_256_gcm(), NULL, key, nonce) == 1 &&
        EVP_EncryptUpdate(context, out, &written, plain, (int)size) == 1 &&
        EVP_EncryptFinal_ex(context, out + written, &last) == 1 &&
        EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, ZONE_TAG_SIZE, out + size) == 1;
    EVP_CIPHER_CTX_free(context);
    return verdict(good);
}

static enum trusted_zone_result host_open(void* self, const uint8_t key[32],
                                          const uint8_t nonce[ZONE_NONCE_SIZE],
                                          const uint8_t* sealed, size_t size, uint8_t* out) {
    if (size < ZONE_TAG_SIZE)
        return ZONE_REFUSED;
    EVP_CIPHER_CTX* context = EVP_CIPHER_CTX_new();
    const size_t body = size - ZONE_TAG_SIZE;
    uint8_t tag[ZONE_TAG_SIZE];
    int written = 0;
    int last = 0;
    (void)self;
    memcpy(tag, sealed + body, sizeof tag);
    const int good = context != NULL &&
                     EVP_DecryptInit_ex(context, EVP_aes_256_gcm(), NULL, key, nonce) == 1 &&
                     EVP_DecryptUpdate(context, out, &written, sealed, (int)body) == 1 &&
                     EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, sizeof tag, tag) == 1 &&
                     EVP_DecryptFinal_ex(context, out + written, &last) == 1;
    EVP_CIPHER_CTX_free(context);
    return good ? ZONE_OK : ZONE_REFUSED;
}

static int path_of(const struct trusted_host* host, enum trusted_object object, const char* suffix,
                   char path[MAX_PATH]) {
    const int size =
        snprintf(path, MAX_PATH, "%s/object-%d%s", host->directory, (int)object, suffix);
    return size > 0 && size < MAX_PATH;
}

/* One key per object: one cannot be put in another's place. */
static int storage_key(const struct trusted_host* host, enum trusted_object object,
                       uint8_t key[32]) {
    const uint8_t label[] = {'o', 'b', 'j', 'e', 'c', 't', (uint8_t)object};
    return host_hmac(NULL, host->hardware_key, 32, label, sizeof label, key) == ZONE_OK;
}

static enum trusted_zone_result host_load(void* self, enum trusted_object object, uint8_t* out,
                                          size_t capacity, size_t* size) {
    const struct trusted_host* host = self;
    char path[MAX_PATH];
    uint8_t key[32];
    uint8_t file[MAX_OBJECT];
    *size = 0;
    if (host->refuses_storage)
        return ZONE_STORAGE_REFUSED;
    if (!path_of(host, object, "", path) || !storage_key(host, object, key))
        return ZONE_FAILED;
    FILE* in = fopen(path, "rb");
    if (in == NULL)
        return ZONE_MISSING;
    const size_t got = fread(file, 1, sizeof file, in);
    (void)fclose(in);
    const size_t overhead = ZONE_NONCE_SIZE + ZONE_TAG_SIZE;
    if (got < overhead || got - overhead > capacity ||
        host_open(NULL, key, file, file + ZONE_NONCE_SIZE, got - ZONE_NONCE_SIZE, out) != ZONE_OK) {
        if (host->deletes_damaged)
            (void)unlink(path);
        return ZONE_REFUSED;
    }
    *size = got - overhead;
    return ZONE_OK;
}

static int write_whole(const char* path, const uint8_t* bytes, size_t size) {
    const int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (file < 0)
        return 0;
    const int good = write(file, bytes, size) == (ssize_t)size && fsync(file) == 0;
    return close(file) == 0 && good;
}

static enum trusted_zone_result host_replace(void* self, enum trusted_object object,
                                             const uint8_t* data, size_t size) {
    const struct trusted_host* host = self;
    char path[MAX_PATH];
    char fresh[MAX_PATH];
    uint8_t key[32];
    uint8_t file[MAX_OBJECT];
    if (host->refuses_storage)
        return ZONE_STORAGE_REFUSED;
    if (size > sizeof file - ZONE_NONCE_SIZE - ZONE_TAG_SIZE || !path_of(host, object, "", path) ||
        !path_of(host, object, ".new", fresh) || !storage_key(host, object, key) ||
        RAND_bytes(file, ZONE_NONCE_SIZE) != 1 ||
        host_seal(NULL, key, file, data, size, file + ZONE_NONCE_SIZE) != ZONE_OK)
        return ZONE_FAILED;
    return verdict(write_whole(fresh, file, ZONE_NONCE_SIZE + size + ZONE_TAG_SIZE) &&
                   rename(fresh, path) == 0);
}

static enum trusted_zone_result host_unit_id(void* self, uint8_t id[32]) {
    static const uint8_t label[] = "unit id";
    const struct trusted_host* host = self;
    return host_hmac(NULL, host->hardware_key, 32, label, sizeof label, id);
}

static enum trusted_zone_result host_uptime(void* self, uint64_t* now_ms) {
    struct timespec now;
    (void)self;
    if (clock_gettime(CLOCK_MONOTONIC_RAW, &now) != 0)
        return ZONE_FAILED;
    *now_ms = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
    return ZONE_OK;
}

int trusted_host_zone(struct trusted_host* host, const char* directory,
                      const uint8_t hardware_key[32], struct trusted_zone* zone) {
    const struct trusted_zone filled = {
        .self = host,
        .station_key = host->has_station_key ? host->station_key : NULL,
        .random = host_random,
        .sha256 = host_sha256,
        .sha512 = host_sha512,
        .hmac_sha256 = host_hmac,
        .ed25519_verify = host_ed25519_verify,
        .x25519_new = host_x25519_new,
        .x25519_agree = host_x25519_agree,
        .p256_new = host_p256_new,
        .p256_sign = host_p256_sign,
        .seal = host_seal,
        .open = host_open,
        .load = host_load,
        .replace = host_replace,
        .unit_id = host_unit_id,
        .uptime = host_uptime,
    };
    *zone = filled;
    memcpy(host->hardware_key, hardware_key, 32);
    const int size = snprintf(host->directory, sizeof host->directory, "%s", directory);
    return size > 0 && (size_t)size < sizeof host->directory;
}
