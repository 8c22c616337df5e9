#include "trusted/core/bytes.h"

#include <string.h>

bool trusted_same(struct span a, struct span b) {
    return a.size == b.size && (a.size == 0 || memcmp(a.at, b.at, a.size) == 0);
}

bool trusted_same_secret(const uint8_t* a, const uint8_t* b, size_t size) {
    uint8_t difference = 0;
    for (size_t i = 0; i < size; ++i)
        difference = (uint8_t)(difference | (a[i] ^ b[i]));
    return difference == 0;
}

void trusted_copy(uint8_t* out, const uint8_t* in, size_t size) {
    if (size > 0)
        memcpy(out, in, size);
}

void trusted_wipe(void* memory, size_t size) {
    volatile uint8_t* at = memory;
    while (size-- > 0)
        *at++ = 0;
}

struct reader trusted_reader(struct span in) {
    const struct reader reader = {in.at, in.size, false};
    return reader;
}

struct span trusted_take(struct reader* in, size_t size) {
    struct span taken = {in->at, 0};
    if (in->failed || size > in->left) {
        in->failed = true;
        return taken;
    }
    taken.size = size;
    if (size > 0)
        in->at += size;
    in->left -= size;
    return taken;
}

static uint64_t number_of(struct reader* in, size_t size) {
    const struct span bytes = trusted_take(in, size);
    uint64_t value = 0;
    for (size_t i = 0; i < bytes.size; ++i)
        value = value << 8 | bytes.at[i];
    return value;
}

uint8_t trusted_u8(struct reader* in) {
    return (uint8_t)number_of(in, 1);
}

uint16_t trusted_u16(struct reader* in) {
    return (uint16_t)number_of(in, 2);
}

uint32_t trusted_u32(struct reader* in) {
    return (uint32_t)number_of(in, 4);
}

uint64_t trusted_u64(struct reader* in) {
    return number_of(in, 8);
}

struct span trusted_block(struct reader* in) {
    return trusted_take(in, trusted_u16(in));
}

bool trusted_read_all(const struct reader* in) {
    return !in->failed && in->left == 0;
}

struct writer trusted_writer(uint8_t* at, size_t capacity) {
    const struct writer writer = {at, capacity, 0, false};
    return writer;
}

void trusted_put(struct writer* out, const void* bytes, size_t size) {
    if (out->overflow || size > out->capacity - out->used) {
        out->overflow = true;
        return;
    }
    trusted_copy(out->at + out->used, bytes, size);
    out->used += size;
}

static void put_number(struct writer* out, uint64_t value, size_t size) {
    uint8_t bytes[8];
    for (size_t i = 0; i < size; ++i)
        bytes[i] = (uint8_t)(value >> (8 * (size - 1 - i)));
    trusted_put(out, bytes, size);
}

void trusted_put_u8(struct writer* out, uint8_t value) {
    put_number(out, value, 1);
}

void trusted_put_u32(struct writer* out, uint32_t value) {
    put_number(out, value, 4);
}

void trusted_put_u64(struct writer* out, uint64_t value) {
    put_number(out, value, 8);
}

void trusted_put_block(struct writer* out, struct span bytes) {
    if (bytes.size > UINT16_MAX) {
        out->overflow = true;
        return;
    }
    put_number(out, bytes.size, 2);
    trusted_put(out, bytes.at, bytes.size);
}

struct fields trusted_fields(struct span in) {
    const struct fields fields = {trusted_reader(in), -1, false};
    return fields;
}

bool trusted_next_field(struct fields* fields, struct field* field) {
    if (fields->malformed || trusted_read_all(&fields->in))
        return false;
    field->tag = trusted_u8(&fields->in);
    field->value = trusted_block(&fields->in);
    if (fields->in.failed || field->tag <= fields->last_tag) {
        fields->malformed = true;
        return false;
    }
    fields->last_tag = field->tag;
    return true;
}

bool trusted_field_u32(struct span value, uint32_t* number) {
    struct reader in = trusted_reader(value);
    *number = trusted_u32(&in);
    return trusted_read_all(&in);
}

bool trusted_field_u64(struct span value, uint64_t* number) {
    struct reader in = trusted_reader(value);
    *number = trusted_u64(&in);
    return trusted_read_all(&in);
}

void trusted_put_field(struct writer* out, uint8_t tag, struct span value) {
    trusted_put_u8(out, tag);
    trusted_put_block(out, value);
}

void trusted_put_field_u64(struct writer* out, uint8_t tag, uint64_t value) {
    trusted_put_u8(out, tag);
    put_number(out, 8, 2);
    trusted_put_u64(out, value);
}
