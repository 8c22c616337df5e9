#include "roughtime/answer.h"

#include <stdbool.h>
#include <string.h>

enum { WORD = 4, HEADER = 12, MAX_TAGS = 64, MAX_PATH = 32, MAX_SIGNED = 512 };

/* ASCII, the first letter in the lowest byte. */
#define TAG(a, b, c, d) \
    ((uint32_t)(a) | (uint32_t)(b) << 8 | (uint32_t)(c) << 16 | (uint32_t)(d) << 24)
#define CERT TAG('C', 'E', 'R', 'T')
#define DELE TAG('D', 'E', 'L', 'E')
#define INDX TAG('I', 'N', 'D', 'X')
#define MAXT TAG('M', 'A', 'X', 'T')
#define MIDP TAG('M', 'I', 'D', 'P')
#define MINT TAG('M', 'I', 'N', 'T')
#define NONC TAG('N', 'O', 'N', 'C')
#define PATH TAG('P', 'A', 'T', 'H')
#define PUBK TAG('P', 'U', 'B', 'K')
#define RADI TAG('R', 'A', 'D', 'I')
#define ROOT TAG('R', 'O', 'O', 'T')
#define SIG TAG('S', 'I', 'G', 0)
#define SREP TAG('S', 'R', 'E', 'P')
#define SRV TAG('S', 'R', 'V', 0)
#define TYPE TAG('T', 'Y', 'P', 'E')
#define VER TAG('V', 'E', 'R', 0)
#define ZZZZ TAG('Z', 'Z', 'Z', 'Z')

static const uint32_t version_1 = 1;
static const uint32_t version_drafts = 0x8000000c; /* of the last drafts: the same format */
static const uint64_t max_time_s = 253402300799;   /* year 9999 */
static const uint8_t magic[8] = {'R', 'O', 'U', 'G', 'H', 'T', 'I', 'M'};
/* Their zero byte is signed too. */
static const char delegation_context[] = "RoughTime v1 delegation signature";
static const char response_context[] = "RoughTime v1 response signature";

struct view {
    const uint8_t* at;
    size_t size;
};

static uint32_t load_u32(const uint8_t* at) {
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static uint64_t load_u64(const uint8_t* at) {
    return (uint64_t)load_u32(at) | (uint64_t)load_u32(at + WORD) << 32;
}

static size_t put_u32(uint8_t* out, size_t at, uint32_t value) {
    for (unsigned i = 0; i < WORD; ++i)
        out[at + i] = (uint8_t)(value >> (8 * i));
    return at + WORD;
}

/* RFC 10049, "Message Format": the count of tags, count - 1 offsets, the tags, the values. */
struct message {
    const uint8_t* at;
    size_t count;
    struct view values;
};

static size_t end_of(const struct message* message, size_t i) {
    return i + 1 < message->count ? load_u32(message->at + WORD * (1 + i)) : message->values.size;
}

static uint32_t tag_of(const struct message* message, size_t i) {
    return load_u32(message->at + WORD * (message->count + i));
}

static bool parse(struct view bytes, struct message* message) {
    if (bytes.size < WORD || bytes.size % WORD != 0)
        return false;
    message->at = bytes.at;
    message->count = load_u32(bytes.at);
    if (message->count == 0 || message->count > MAX_TAGS)
        return false;
    const size_t header = 2 * WORD * message->count;
    if (header > bytes.size)
        return false;
    message->values.at = bytes.at + header;
    message->values.size = bytes.size - header;
    size_t begin = 0;
    for (size_t i = 0; i < message->count; ++i) {
        const size_t end = end_of(message, i);
        if (end < begin || end > message->values.size || end % WORD != 0 ||
            (i > 0 && tag_of(message, i) <= tag_of(message, i - 1)))
            return false;
        begin = end;
    }
    return true;
}

static bool find(const struct message* message, uint32_t tag, struct view* value) {
    size_t begin = 0;
    for (size_t i = 0; i < message->count; ++i) {
        const size_t end = end_of(message, i);
        if (tag_of(message, i) == tag) {
            value->at = message->values.at + begin;
            value->size = end - begin;
            return true;
        }
        begin = end;
    }
    return false;
}

static bool find_sized(const struct message* message, uint32_t tag, size_t size,
                       const uint8_t** value) {
    struct view found;
    if (!find(message, tag, &found) || found.size != size)
        return false;
    *value = found.at;
    return true;
}

/* What is read of an answer; everything in it points into the packet. */
struct answer {
    struct view dele;
    struct view srep;
    struct view path;
    const uint8_t* dele_signature;
    const uint8_t* srep_signature;
    const uint8_t* nonce;
    const uint8_t* online_key;
    const uint8_t* root;
    uint32_t index;
    uint64_t not_before_s;
    uint64_t not_after_s;
    uint64_t midpoint_s;
    uint32_t radius_s;
};

static bool read_delegation(struct view bytes, struct answer* answer) {
    struct message cert;
    struct message dele;
    const uint8_t* begin = NULL;
    const uint8_t* end = NULL;
    if (!parse(bytes, &cert) || !find(&cert, DELE, &answer->dele) ||
        !find_sized(&cert, SIG, 64, &answer->dele_signature) || !parse(answer->dele, &dele) ||
        !find_sized(&dele, MINT, 8, &begin) || !find_sized(&dele, MAXT, 8, &end) ||
        !find_sized(&dele, PUBK, ROUGHTIME_KEY_SIZE, &answer->online_key))
        return false;
    answer->not_before_s = load_u64(begin);
    answer->not_after_s = load_u64(end);
    return true;
}

static bool read_response(struct view bytes, struct answer* answer) {
    struct message srep;
    const uint8_t* version = NULL;
    const uint8_t* radius = NULL;
    const uint8_t* midpoint = NULL;
    answer->srep = bytes;
    if (!parse(bytes, &srep) || !find_sized(&srep, VER, WORD, &version) ||
        !find_sized(&srep, RADI, WORD, &radius) || !find_sized(&srep, MIDP, 8, &midpoint) ||
        !find_sized(&srep, ROOT, ROUGHTIME_HASH_SIZE, &answer->root))
        return false;
    answer->radius_s = load_u32(radius);
    answer->midpoint_s = load_u64(midpoint);
    return load_u32(version) == version_1 || load_u32(version) == version_drafts;
}

static bool read_answer(const uint8_t* packet, size_t size, struct answer* answer) {
    struct message message;
    struct view cert;
    struct view srep;
    const uint8_t* type = NULL;
    const uint8_t* index = NULL;
    if (size < HEADER || size > ROUGHTIME_MAX_ANSWER || memcmp(packet, magic, sizeof magic) != 0 ||
        load_u32(packet + sizeof magic) != size - HEADER)
        return false;
    const struct view body = {packet + HEADER, size - HEADER};
    if (!parse(body, &message) || !find_sized(&message, SIG, 64, &answer->srep_signature) ||
        !find_sized(&message, NONC, ROUGHTIME_NONCE_SIZE, &answer->nonce) ||
        !find_sized(&message, TYPE, WORD, &type) || !find(&message, PATH, &answer->path) ||
        !find(&message, SREP, &srep) || !find(&message, CERT, &cert) ||
        !find_sized(&message, INDX, WORD, &index))
        return false;
    answer->index = load_u32(index);
    return load_u32(type) == 1 && answer->path.size % ROUGHTIME_HASH_SIZE == 0 &&
           answer->path.size <= (size_t)MAX_PATH * ROUGHTIME_HASH_SIZE &&
           read_delegation(cert, answer) && read_response(srep, answer);
}

/* H of the RFC: the first half of SHA-512. */
static enum roughtime_result hash(const struct roughtime_crypto* crypto, const uint8_t* data,
                                  size_t size, uint8_t out[ROUGHTIME_HASH_SIZE]) {
    uint8_t digest[64];
    const enum roughtime_result result = crypto->sha512(crypto->self, data, size, digest);
    memcpy(out, digest, ROUGHTIME_HASH_SIZE);
    return result;
}

static enum roughtime_result check_signature(const struct roughtime_crypto* crypto,
                                             const uint8_t* key, const char* context,
                                             size_t context_size, struct view value,
                                             const uint8_t* signature) {
    uint8_t message[MAX_SIGNED];
    if (value.size > sizeof message - context_size)
        return ROUGHTIME_MALFORMED;
    memcpy(message, context, context_size);
    memcpy(message + context_size, value.at, value.size);
    return crypto->verify(crypto->self, key, message, context_size + value.size, signature);
}

/* "The Merkle Tree": bit 0 of INDX at 0 means that the sibling stands on the right. */
static enum roughtime_result check_path(const struct roughtime_crypto* crypto,
                                        const struct answer* answer,
                                        const uint8_t leaf[ROUGHTIME_HASH_SIZE]) {
    uint8_t node[1 + 2 * ROUGHTIME_HASH_SIZE];
    uint8_t reached[ROUGHTIME_HASH_SIZE];
    uint32_t index = answer->index;
    memcpy(reached, leaf, sizeof reached);
    for (size_t at = 0; at < answer->path.size; at += ROUGHTIME_HASH_SIZE) {
        const bool on_the_right = (index & 1U) == 0;
        node[0] = 1;
        memcpy(node + (on_the_right ? 1 : 1 + sizeof reached), reached, sizeof reached);
        memcpy(node + (on_the_right ? 1 + sizeof reached : 1), answer->path.at + at,
               ROUGHTIME_HASH_SIZE);
        if (hash(crypto, node, sizeof node, reached) != ROUGHTIME_OK)
            return ROUGHTIME_FAILED;
        index >>= 1;
    }
    return index == 0 && memcmp(reached, answer->root, sizeof reached) == 0
               ? ROUGHTIME_OK
               : ROUGHTIME_OTHER_REQUEST;
}

static enum roughtime_result check_times(const struct answer* answer) {
    if (answer->midpoint_s > max_time_s)
        return ROUGHTIME_MALFORMED;
    if (answer->midpoint_s < answer->not_before_s || answer->midpoint_s > answer->not_after_s)
        return ROUGHTIME_DELEGATION_EXPIRED;
    return answer->radius_s <= ROUGHTIME_MAX_RADIUS_S ? ROUGHTIME_OK : ROUGHTIME_RADIUS_REFUSED;
}

enum roughtime_result roughtime_verify(const struct roughtime_crypto* crypto,
                                       const uint8_t key[ROUGHTIME_KEY_SIZE],
                                       const uint8_t nonce[ROUGHTIME_NONCE_SIZE],
                                       const uint8_t leaf[ROUGHTIME_HASH_SIZE],
                                       const uint8_t* packet, size_t size,
                                       struct roughtime_time* time) {
    struct answer answer;
    if (!read_answer(packet, size, &answer))
        return ROUGHTIME_MALFORMED;
    enum roughtime_result result =
        check_signature(crypto, key, delegation_context, sizeof delegation_context, answer.dele,
                        answer.dele_signature);
    if (result == ROUGHTIME_OK)
        result = check_signature(crypto, answer.online_key, response_context,
                                 sizeof response_context, answer.srep, answer.srep_signature);
    if (result == ROUGHTIME_OK && memcmp(answer.nonce, nonce, ROUGHTIME_NONCE_SIZE) != 0)
        result = ROUGHTIME_OTHER_REQUEST;
    if (result == ROUGHTIME_OK)
        result = check_path(crypto, &answer, leaf);
    if (result == ROUGHTIME_OK)
        result = check_times(&answer);
    if (result != ROUGHTIME_OK)
        return result;
    time->midpoint_s = (int64_t)answer.midpoint_s;
    time->radius_s = answer.radius_s;
    return ROUGHTIME_OK;
}

enum roughtime_result roughtime_request(const struct roughtime_crypto* crypto,
                                        const uint8_t key[ROUGHTIME_KEY_SIZE],
                                        const uint8_t nonce[ROUGHTIME_NONCE_SIZE],
                                        uint8_t packet[ROUGHTIME_REQUEST_SIZE],
                                        uint8_t leaf[ROUGHTIME_HASH_SIZE]) {
    static const uint32_t tags[] = {VER, SRV, NONC, TYPE, ZZZZ};
    static const uint32_t sizes[] = {8, ROUGHTIME_HASH_SIZE, ROUGHTIME_NONCE_SIZE, WORD};
    enum { COUNT = sizeof tags / sizeof tags[0] };
    uint8_t hashed[1 + ROUGHTIME_REQUEST_SIZE];
    uint32_t offset = 0;
    size_t at = sizeof magic;
    memset(packet, 0, ROUGHTIME_REQUEST_SIZE);
    memcpy(packet, magic, sizeof magic);
    at = put_u32(packet, at, ROUGHTIME_REQUEST_SIZE - HEADER);
    at = put_u32(packet, at, COUNT);
    for (size_t i = 0; i + 1 < COUNT; ++i)
        at = put_u32(packet, at, offset += sizes[i]);
    for (size_t i = 0; i < COUNT; ++i)
        at = put_u32(packet, at, tags[i]);
    at = put_u32(packet, at, version_1);
    at = put_u32(packet, at, version_drafts);
    hashed[0] = 0xff;
    memcpy(hashed + 1, key, ROUGHTIME_KEY_SIZE);
    if (hash(crypto, hashed, 1 + ROUGHTIME_KEY_SIZE, packet + at) != ROUGHTIME_OK)
        return ROUGHTIME_FAILED;
    at += ROUGHTIME_HASH_SIZE;
    memcpy(packet + at, nonce, ROUGHTIME_NONCE_SIZE);
    hashed[0] = 0;
    memcpy(hashed + 1, packet, ROUGHTIME_REQUEST_SIZE);
    return hash(crypto, hashed, sizeof hashed, leaf);
}
