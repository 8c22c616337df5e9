// What the normal world can send, one command after the other to one unit: the first byte of a part
// is the command, the next two its length. Orders get a true signature, so that the rules behind it
// are reached.
#include <stdlib.h>

#include <algorithm>
#include <utility>

#include "base/crypto.hpp"
#include "trusted/core/commands.h"
#include "trusted/host/zone.h"

namespace {

using namespace mitral;

// Nothing is on disk: a million starts a minute.
struct Memory {
    trusted_host host{};
    trusted_zone zone{};
    std::array<base::Bytes, 5> objects;
};

trusted_zone_result load(void* self, trusted_object object, std::uint8_t* out, std::size_t capacity,
                         std::size_t* size) {
    const auto& found = static_cast<Memory*>(self)->objects.at(object);
    *size = 0;
    if (found.empty())
        return ZONE_MISSING;
    if (found.size() > capacity)
        return ZONE_REFUSED;
    *size = found.size();
    std::copy(found.begin(), found.end(), out);
    return ZONE_OK;
}

trusted_zone_result replace(void* self, trusted_object object, const std::uint8_t* data,
                            std::size_t size) {
    static_cast<Memory*>(self)->objects.at(object).assign(data, data + size);
    return ZONE_OK;
}

trusted_zone_result unit_id(void*, std::uint8_t id[32]) {
    std::fill_n(id, 32, std::uint8_t{5});
    return ZONE_OK;
}

const base::Secret& station() {
    static const base::Secret key = base::ed25519_new_key();
    return key;
}

// `station key | block order`, with what the fuzzer wrote as the order's body.
base::Bytes signed_request(base::ByteView body) {
    base::ByteWriter message;
    message.text({"mitral order 1\0", 15}).raw(body);
    const auto signature = base::ed25519_sign(station(), message.bytes());
    const auto order = base::ByteWriter().raw(body).raw(*signature).bytes();
    return base::ByteWriter().raw(*base::ed25519_public_key(station())).block16(order).bytes();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::array<std::uint8_t, 32> fuse{};
    Memory memory;
    (void)trusted_host_zone(&memory.host, "/nonexistent", fuse.data(), &memory.zone);
    memory.zone.self = &memory;
    memory.zone.load = load;
    memory.zone.replace = replace;
    memory.zone.unit_id = unit_id;
    static trusted unit;
    if (trusted_open(&unit, &memory.zone) != TRUSTED_OK)
        __builtin_trap();
    std::array<std::uint8_t, TRUSTED_MAX_REPLY> reply{};
    base::ByteReader in(base::ByteView(data, size));
    bool volume_given = false;
    while (const auto command = in.u8()) {
        const auto body = in.block16();
        if (!body)
            break;
        const bool sign = *command == 0x80 && body->size() < 3800;
        const base::Bytes request =
            sign ? signed_request(*body) : base::Bytes(body->begin(), body->end());
        const auto written = trusted_answer(&unit, sign ? TRUSTED_EXECUTE_ORDER : *command,
                                            {request.data(), request.size()}, reply.data());
        const std::uint64_t mints = unit.mints;
        if (*command == TRUSTED_VOLUME_KEY && reply[0] == TRUSTED_OK &&
            std::exchange(volume_given, true))
            __builtin_trap();
        if (written == 0 || written > reply.size() || (reply[0] != TRUSTED_OK && written != 1))
            __builtin_trap();
        // A key never came with these orders in a form that opens: no identity, no token.
        if (trusted_has_identity(&unit.custody) || mints != 0)
            __builtin_trap();
        custody decoded{};
        (void)trusted_custody_decode({request.data(), request.size()}, &decoded);
    }
    trusted_close(&unit);
    return 0;
}
