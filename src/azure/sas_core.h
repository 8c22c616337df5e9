/* Shared access signatures: names, limits, the string to sign and the token's text. One source for
 * the normal world and the Trusted Application, so that both agree to the byte: C11, no allocation,
 * no I/O, no global state, nothing of libc but <string.h>. Whoever holds the key computes the HMAC
 * between the two steps:
 *
 *   resource  -> mitral_sas_encode  -> mitral_sas_to_sign -> HMAC-SHA256(key, …) ->
 * mitral_sas_assemble
 *
 * Source of the format: Azure IoT Hub, "Control access with shared access signatures". Text is
 * UTF-8 without a terminating zero; every output states its length. On error *written is 0 and the
 * buffer's content is void. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
    MITRAL_SAS_MAX_LIFETIME_S =
        24 * 60 * 60, /* the cap on every token, enforced where the key is */
    MITRAL_SAS_MAC_SIZE = 32,
    MITRAL_SAS_MAX_HOST = 255, /* RFC 1035 2.3.4, ":port" included */
    MITRAL_SAS_MAX_ID = 128,   /* device, module and registration ids */
    MITRAL_SAS_MAX_ID_SCOPE = 32,
    MITRAL_SAS_MAX_POLICY = 64,
    MITRAL_SAS_MAX_RESOURCE = MITRAL_SAS_MAX_HOST + 9 + MITRAL_SAS_MAX_ID + 9 + MITRAL_SAS_MAX_ID,
    MITRAL_SAS_MAX_ENCODED = 3 * MITRAL_SAS_MAX_RESOURCE,
    MITRAL_SAS_MAX_TO_SIGN = MITRAL_SAS_MAX_ENCODED + 1 + 20,
    MITRAL_SAS_MAX_SIGNATURE = 3 * 44, /* 32 bytes in base64, every character percent-encoded */
    MITRAL_SAS_MAX_TOKEN = 25 + MITRAL_SAS_MAX_ENCODED + 5 + MITRAL_SAS_MAX_SIGNATURE + 5 +
                           MITRAL_SAS_MAX_POLICY + 4 + 20
};

/* 9999-12-31T23:59:59Z: later instants are a broken clock, not a request. */
#define MITRAL_SAS_MAX_TIME_S INT64_C(253402300799)

typedef enum {
    MITRAL_SAS_OK = 0,
    MITRAL_SAS_BUFFER_TOO_SMALL = 1,
    MITRAL_SAS_INVALID_NAME = 2,     /* a host, id, scope or policy outside its rules */
    MITRAL_SAS_INVALID_LIFETIME = 3, /* zero or above the cap */
    MITRAL_SAS_INVALID_TIME = 4      /* an instant before 1970 or after 9999 */
} mitral_sas_status;

/* Name rules. Each returns MITRAL_SAS_OK or MITRAL_SAS_INVALID_NAME.
 * host: lower-case letters, digits, '-' and '.', optionally ":port"; no empty label.
 * device (and module) id: ASCII letters, digits and -:.%_*?!(),=@;$' ; the service also takes '+'
 * and '#', but these break MQTT topics and are refused. registration id: ASCII letters, digits and
 * -._: ; the last one a letter, a digit or '-'. id scope: ASCII letters, digits and '-'. policy:
 * ASCII letters, digits and -._ */
mitral_sas_status mitral_sas_check_host(const char* text, size_t size);
mitral_sas_status mitral_sas_check_device_id(const char* text, size_t size);
mitral_sas_status mitral_sas_check_registration_id(const char* text, size_t size);
mitral_sas_status mitral_sas_check_id_scope(const char* text, size_t size);
mitral_sas_status mitral_sas_check_policy(const char* text, size_t size);

/* "{host}/devices/{device}" or, with module_size > 0, "{host}/devices/{device}/modules/{module}".
 * MITRAL_SAS_MAX_RESOURCE bytes always suffice. */
mitral_sas_status mitral_sas_hub_resource(const char* host, size_t host_size, const char* device,
                                          size_t device_size, const char* module,
                                          size_t module_size, char* out, size_t capacity,
                                          size_t* written);

/* "{scope}/registrations/{registration}" */
mitral_sas_status mitral_sas_registration_resource(const char* scope, size_t scope_size,
                                                   const char* registration,
                                                   size_t registration_size, char* out,
                                                   size_t capacity, size_t* written);

/* Percent-encodes everything but the unreserved characters of RFC 3986 2.3, with upper-case digits.
 */
mitral_sas_status mitral_sas_encode(const char* text, size_t size, char* out, size_t capacity,
                                    size_t* written);

/* now + lifetime, when the lifetime is within (0, MITRAL_SAS_MAX_LIFETIME_S]. */
mitral_sas_status mitral_sas_expiry(int64_t now_s, int64_t lifetime_s, int64_t* expiry_s);

/* "{encoded}\n{expiry}": the input of the HMAC. MITRAL_SAS_MAX_TO_SIGN bytes always suffice. */
mitral_sas_status mitral_sas_to_sign(const char* encoded, size_t encoded_size, int64_t expiry_s,
                                     char* out, size_t capacity, size_t* written);

/* "SharedAccessSignature sr={encoded}&sig={mac}[&skn={policy}]&se={expiry}". Readers take the
 * fields in any order; this one is that of Microsoft's Node SDK. MITRAL_SAS_MAX_TOKEN bytes always
 * suffice. */
mitral_sas_status mitral_sas_assemble(const char* encoded, size_t encoded_size,
                                      const uint8_t mac[MITRAL_SAS_MAC_SIZE], int64_t expiry_s,
                                      const char* policy, size_t policy_size, char* out,
                                      size_t capacity, size_t* written);

#ifdef __cplusplus
}
#endif
