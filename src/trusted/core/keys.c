#include "trusted/core/keys.h"

#include "azure/sas_core.h"

enum { SALT_SIZE = 32 };

static const char module_domain[] = "mitral module key 1"; /* its zero byte included */
/* A key that seals one message only may have a fixed nonce. */
static const uint8_t fixed_nonce[ZONE_NONCE_SIZE] = {0};

enum trusted_zone_result trusted_hkdf(const struct trusted_zone* zone, struct span secret,
                                      struct span salt, struct span info, uint8_t out[KEY_SIZE]) {
    uint8_t prk[32];
    uint8_t message[KEY_MAX_INFO + 1];
    struct writer writer = trusted_writer(message, sizeof message);
    trusted_put(&writer, info.at, info.size);
    trusted_put_u8(&writer, 1);
    if (writer.overflow)
        return ZONE_FAILED;
    enum trusted_zone_result result =
        zone->hmac_sha256(zone->self, salt.at, salt.size, secret.at, secret.size, prk);
    if (result == ZONE_OK)
        result = zone->hmac_sha256(zone->self, prk, sizeof prk, message, writer.used, out);
    trusted_wipe(prk, sizeof prk);
    return result;
}

static enum trusted_zone_result derive_module_key(const struct trusted_zone* zone,
                                                  const struct key* key, struct span module,
                                                  uint8_t derived[32]) {
    uint8_t label[sizeof module_domain + MITRAL_SAS_MAX_ID];
    struct writer writer = trusted_writer(label, sizeof label);
    trusted_put(&writer, module_domain, sizeof module_domain);
    trusted_put(&writer, module.at, module.size);
    if (writer.overflow)
        return ZONE_FAILED;
    return zone->hmac_sha256(zone->self, key->bytes, key->size, label, writer.used, derived);
}

enum trusted_zone_result trusted_key_mac(const struct trusted_zone* zone, const struct key* key,
                                         struct span module, struct span data, uint8_t mac[32]) {
    if (module.size == 0)
        return zone->hmac_sha256(zone->self, key->bytes, key->size, data.at, data.size, mac);
    uint8_t derived[32];
    enum trusted_zone_result result = derive_module_key(zone, key, module, derived);
    if (result == ZONE_OK)
        result = zone->hmac_sha256(zone->self, derived, sizeof derived, data.at, data.size, mac);
    trusted_wipe(derived, sizeof derived);
    return result;
}

static enum trusted_zone_result message_key(const struct trusted_zone* zone,
                                            const uint8_t root[KEY_SIZE], struct span purpose,
                                            const uint8_t* salt, uint8_t key[KEY_SIZE]) {
    const struct span secret = {root, KEY_SIZE};
    const struct span salted = {salt, SALT_SIZE};
    return trusted_hkdf(zone, secret, salted, purpose, key);
}

static enum trusted_zone_result wrap(const struct trusted_zone* zone, const uint8_t root[KEY_SIZE],
                                     struct span purpose, struct span key, uint8_t* wrapped) {
    uint8_t with[KEY_SIZE];
    enum trusted_zone_result result = zone->random(zone->self, wrapped, SALT_SIZE);
    if (result == ZONE_OK)
        result = message_key(zone, root, purpose, wrapped, with);
    if (result == ZONE_OK)
        result = zone->seal(zone->self, with, fixed_nonce, key.at, key.size, wrapped + SALT_SIZE);
    trusted_wipe(with, sizeof with);
    return result;
}

static enum trusted_zone_result open(const struct trusted_zone* zone, const uint8_t root[KEY_SIZE],
                                     struct span purpose, struct span wrapped, uint8_t* key) {
    uint8_t with[KEY_SIZE];
    enum trusted_zone_result result = message_key(zone, root, purpose, wrapped.at, with);
    if (result == ZONE_OK)
        result = zone->open(zone->self, with, fixed_nonce, wrapped.at + SALT_SIZE,
                            wrapped.size - SALT_SIZE, key);
    trusted_wipe(with, sizeof with);
    return result;
}

static struct span data_key(void) {
    static const char purpose[] = "mitral trusted data key 1";
    const struct span span = {(const uint8_t*)purpose, sizeof purpose - 1};
    return span;
}

static struct span volume_key(void) {
    static const char purpose[] = "mitral trusted volume key 1";
    const struct span span = {(const uint8_t*)purpose, sizeof purpose - 1};
    return span;
}

enum trusted_zone_result trusted_wrap_data_key(const struct trusted_zone* zone,
                                               const uint8_t root[KEY_SIZE],
                                               const uint8_t key[KEY_SIZE],
                                               uint8_t wrapped[DATA_KEY_WRAPPED_SIZE]) {
    const struct span plain = {key, KEY_SIZE};
    return wrap(zone, root, data_key(), plain, wrapped);
}

enum trusted_zone_result trusted_open_data_key(const struct trusted_zone* zone,
                                               const uint8_t root[KEY_SIZE], struct span wrapped,
                                               uint8_t key[KEY_SIZE]) {
    return wrapped.size == DATA_KEY_WRAPPED_SIZE ? open(zone, root, data_key(), wrapped, key)
                                                 : ZONE_REFUSED;
}

enum trusted_zone_result trusted_wrap_volume_key(const struct trusted_zone* zone,
                                                 const uint8_t root[KEY_SIZE],
                                                 const uint8_t key[VOLUME_KEY_SIZE],
                                                 uint8_t wrapped[VOLUME_KEY_WRAPPED_SIZE]) {
    const struct span plain = {key, VOLUME_KEY_SIZE};
    return wrap(zone, root, volume_key(), plain, wrapped);
}

enum trusted_zone_result trusted_open_volume_key(const struct trusted_zone* zone,
                                                 const uint8_t root[KEY_SIZE], struct span wrapped,
                                                 uint8_t key[VOLUME_KEY_SIZE]) {
    return wrapped.size == VOLUME_KEY_WRAPPED_SIZE ? open(zone, root, volume_key(), wrapped, key)
                                                   : ZONE_REFUSED;
}
