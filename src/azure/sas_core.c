#include "azure/sas_core.h"

#include <string.h>

/* Appends to a caller's buffer and remembers when something did not fit. */
typedef struct {
    char* out;
    size_t capacity;
    size_t used;
    int overflow;
} sas_writer;

static void put(sas_writer* writer, const char* text, size_t size) {
    if (size > writer->capacity - writer->used) {
        writer->overflow = 1;
        return;
    }
    if (size > 0)
        memcpy(writer->out + writer->used, text, size);
    writer->used += size;
}

static void put_literal(sas_writer* writer, const char* text) {
    put(writer, text, strlen(text));
}

static mitral_sas_status finish(const sas_writer* writer, size_t* written) {
    if (writer->overflow) {
        *written = 0;
        return MITRAL_SAS_BUFFER_TOO_SMALL;
    }
    *written = writer->used;
    return MITRAL_SAS_OK;
}

static sas_writer writer_on(char* out, size_t capacity) {
    const sas_writer writer = {out, capacity, 0, 0};
    return writer;
}

/* No <ctype.h>: its answers depend on the locale. */
static int is_digit(char c) {
    return c >= '0' && c <= '9';
}

static int is_lower(char c) {
    return c >= 'a' && c <= 'z';
}

static int is_alnum(char c) {
    return is_digit(c) || is_lower(c) || (c >= 'A' && c <= 'Z');
}

static int is_one_of(char c, const char* set) {
    return c != '\0' && strchr(set, c) != NULL;
}

static mitral_sas_status verdict(int good) {
    return good ? MITRAL_SAS_OK : MITRAL_SAS_INVALID_NAME;
}

static int name_of(const char* text, size_t size, size_t limit, const char* extra) {
    if (size == 0 || size > limit)
        return 0;
    for (size_t i = 0; i < size; ++i) {
        if (!is_alnum(text[i]) && !is_one_of(text[i], extra))
            return 0;
    }
    return 1;
}

/* 1 to 65535, without leading zeros. */
static int is_port(const char* text, size_t size) {
    uint32_t value = 0;
    if (size == 0 || size > 5 || text[0] == '0')
        return 0;
    for (size_t i = 0; i < size; ++i) {
        if (!is_digit(text[i]))
            return 0;
        value = value * 10U + (uint32_t)(text[i] - '0');
    }
    return value <= 65535U;
}

mitral_sas_status mitral_sas_check_host(const char* text, size_t size) {
    if (size == 0 || size > MITRAL_SAS_MAX_HOST)
        return MITRAL_SAS_INVALID_NAME;
    const char* colon = memchr(text, ':', size);
    const size_t name_size = colon != NULL ? (size_t)(colon - text) : size;
    if (colon != NULL && !is_port(colon + 1, size - name_size - 1))
        return MITRAL_SAS_INVALID_NAME;
    char previous = '.';
    for (size_t i = 0; i < name_size; ++i) {
        const char c = text[i];
        if (!is_lower(c) && !is_digit(c) && c != '-' && c != '.')
            return MITRAL_SAS_INVALID_NAME;
        if (c == '.' && previous == '.')
            return MITRAL_SAS_INVALID_NAME;
        previous = c;
    }
    return verdict(previous != '.');
}

mitral_sas_status mitral_sas_check_device_id(const char* text, size_t size) {
    return verdict(name_of(text, size, MITRAL_SAS_MAX_ID, "-:.%_*?!(),=@;$'"));
}

mitral_sas_status mitral_sas_check_registration_id(const char* text, size_t size) {
    if (!name_of(text, size, MITRAL_SAS_MAX_ID, "-._:"))
        return MITRAL_SAS_INVALID_NAME;
    return verdict(is_alnum(text[size - 1]) || text[size - 1] == '-');
}

mitral_sas_status mitral_sas_check_id_scope(const char* text, size_t size) {
    return verdict(name_of(text, size, MITRAL_SAS_MAX_ID_SCOPE, "-"));
}

mitral_sas_status mitral_sas_check_policy(const char* text, size_t size) {
    return verdict(name_of(text, size, MITRAL_SAS_MAX_POLICY, "-._"));
}

mitral_sas_status mitral_sas_hub_resource(const char* host, size_t host_size, const char* device,
                                          size_t device_size, const char* module,
                                          size_t module_size, char* out, size_t capacity,
                                          size_t* written) {
    *written = 0;
    if (mitral_sas_check_host(host, host_size) != MITRAL_SAS_OK ||
        mitral_sas_check_device_id(device, device_size) != MITRAL_SAS_OK)
        return MITRAL_SAS_INVALID_NAME;
    if (module_size > 0 && mitral_sas_check_device_id(module, module_size) != MITRAL_SAS_OK)
        return MITRAL_SAS_INVALID_NAME;
    sas_writer writer = writer_on(out, capacity);
    put(&writer, host, host_size);
    put_literal(&writer, "/devices/");
    put(&writer, device, device_size);
    if (module_size > 0) {
        put_literal(&writer, "/modules/");
        put(&writer, module, module_size);
    }
    return finish(&writer, written);
}

mitral_sas_status mitral_sas_registration_resource(const char* scope, size_t scope_size,
                                                   const char* registration,
                                                   size_t registration_size, char* out,
                                                   size_t capacity, size_t* written) {
    *written = 0;
    if (mitral_sas_check_id_scope(scope, scope_size) != MITRAL_SAS_OK ||
        mitral_sas_check_registration_id(registration, registration_size) != MITRAL_SAS_OK)
        return MITRAL_SAS_INVALID_NAME;
    sas_writer writer = writer_on(out, capacity);
    put(&writer, scope, scope_size);
    put_literal(&writer, "/registrations/");
    put(&writer, registration, registration_size);
    return finish(&writer, written);
}

static void put_encoded(sas_writer* writer, const char* text, size_t size) {
    static const char digits[] = "0123456789ABCDEF";
    for (size_t i = 0; i < size; ++i) {
        if (is_alnum(text[i]) || is_one_of(text[i], "-._~")) {
            put(writer, text + i, 1);
        } else {
            const unsigned byte = (unsigned char)text[i];
            const char escaped[3] = {'%', digits[byte >> 4], digits[byte & 15U]};
            put(writer, escaped, sizeof escaped);
        }
    }
}

mitral_sas_status mitral_sas_encode(const char* text, size_t size, char* out, size_t capacity,
                                    size_t* written) {
    sas_writer writer = writer_on(out, capacity);
    put_encoded(&writer, text, size);
    return finish(&writer, written);
}

mitral_sas_status mitral_sas_expiry(int64_t now_s, int64_t lifetime_s, int64_t* expiry_s) {
    *expiry_s = 0;
    if (lifetime_s <= 0 || lifetime_s > MITRAL_SAS_MAX_LIFETIME_S)
        return MITRAL_SAS_INVALID_LIFETIME;
    if (now_s < 0 || now_s > MITRAL_SAS_MAX_TIME_S - lifetime_s)
        return MITRAL_SAS_INVALID_TIME;
    *expiry_s = now_s + lifetime_s;
    return MITRAL_SAS_OK;
}

static int is_time(int64_t time_s) {
    return time_s >= 0 && time_s <= MITRAL_SAS_MAX_TIME_S;
}

static void put_time(sas_writer* writer, int64_t time_s) {
    char text[20];
    size_t start = sizeof text;
    do {
        text[--start] = (char)('0' + time_s % 10);
        time_s /= 10;
    } while (time_s > 0);
    put(writer, text + start, sizeof text - start);
}

mitral_sas_status mitral_sas_to_sign(const char* encoded, size_t encoded_size, int64_t expiry_s,
                                     char* out, size_t capacity, size_t* written) {
    *written = 0;
    if (!is_time(expiry_s))
        return MITRAL_SAS_INVALID_TIME;
    sas_writer writer = writer_on(out, capacity);
    put(&writer, encoded, encoded_size);
    put_literal(&writer, "\n");
    put_time(&writer, expiry_s);
    return finish(&writer, written);
}

/* RFC 4648 4 for 32 bytes: ten groups of three, then two bytes and one '='. */
static void base64_of_mac(const uint8_t mac[MITRAL_SAS_MAC_SIZE], char out[44]) {
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t at = 0;
    for (size_t i = 0; i < MITRAL_SAS_MAC_SIZE; i += 3) {
        const uint32_t third = i + 2 < MITRAL_SAS_MAC_SIZE ? mac[i + 2] : 0U;
        const uint32_t group = (uint32_t)mac[i] << 16 | (uint32_t)mac[i + 1] << 8 | third;
        out[at++] = alphabet[group >> 18 & 63U];
        out[at++] = alphabet[group >> 12 & 63U];
        out[at++] = alphabet[group >> 6 & 63U];
        out[at++] = alphabet[group & 63U];
    }
    out[43] = '=';
}

mitral_sas_status mitral_sas_assemble(const char* encoded, size_t encoded_size,
                                      const uint8_t mac[MITRAL_SAS_MAC_SIZE], int64_t expiry_s,
                                      const char* policy, size_t policy_size, char* out,
                                      size_t capacity, size_t* written) {
    *written = 0;
    if (!is_time(expiry_s))
        return MITRAL_SAS_INVALID_TIME;
    if (policy_size > 0 && mitral_sas_check_policy(policy, policy_size) != MITRAL_SAS_OK)
        return MITRAL_SAS_INVALID_NAME;
    char signature[44];
    base64_of_mac(mac, signature);
    sas_writer writer = writer_on(out, capacity);
    put_literal(&writer, "SharedAccessSignature sr=");
    put(&writer, encoded, encoded_size);
    put_literal(&writer, "&sig=");
    put_encoded(&writer, signature, sizeof signature);
    if (policy_size > 0) {
        put_literal(&writer, "&skn=");
        put(&writer, policy, policy_size);
    }
    put_literal(&writer, "&se=");
    put_time(&writer, expiry_s);
    return finish(&writer, written);
}
