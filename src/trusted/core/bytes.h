/* Reading and writing bytes without a pointer that can run away. Big-endian. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct span {
    const uint8_t* at;
    size_t size;
};

bool trusted_same(struct span a, struct span b);
/* In a time that depends on the size alone. */
bool trusted_same_secret(const uint8_t* a, const uint8_t* b, size_t size);
void trusted_copy(uint8_t* out, const uint8_t* in, size_t size);
/* The compiler may not leave it out. */
void trusted_wipe(void* memory, size_t size);

/* After the first read that does not fit every read gives zeros or an empty span. */
struct reader {
    const uint8_t* at;
    size_t left;
    bool failed;
};
struct reader trusted_reader(struct span in);
struct span trusted_take(struct reader* in, size_t size);
uint8_t trusted_u8(struct reader* in);
uint16_t trusted_u16(struct reader* in);
uint32_t trusted_u32(struct reader* in);
uint64_t trusted_u64(struct reader* in);
struct span trusted_block(struct reader* in); /* u16 length and that many bytes */
bool trusted_read_all(const struct reader* in);

/* After the first write that does not fit nothing more is written. */
struct writer {
    uint8_t* at;
    size_t capacity;
    size_t used;
    bool overflow;
};
struct writer trusted_writer(uint8_t* at, size_t capacity);
void trusted_put(struct writer* out, const void* bytes, size_t size);
void trusted_put_u8(struct writer* out, uint8_t value);
void trusted_put_u32(struct writer* out, uint32_t value);
void trusted_put_u64(struct writer* out, uint64_t value);
void trusted_put_block(struct writer* out, struct span bytes);

/* Fields: u8 tag, u16 length, value; tags strictly rising (vault/tlv.hpp). */
struct field {
    uint8_t tag;
    struct span value;
};
struct fields {
    struct reader in;
    int last_tag;
    bool malformed;
};
struct fields trusted_fields(struct span in);
/* False at the end and on malformed input; `malformed` tells which. */
bool trusted_next_field(struct fields* fields, struct field* field);
bool trusted_field_u32(struct span value, uint32_t* number);
bool trusted_field_u64(struct span value, uint64_t* number);
void trusted_put_field(struct writer* out, uint8_t tag, struct span value);
void trusted_put_field_u64(struct writer* out, uint8_t tag, uint64_t value);

#ifdef __cplusplus
}
#endif
