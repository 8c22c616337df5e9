// Everything a stranger can make the vault parse before a signature is checked, and the state file.
#include <algorithm>

#include "vault/custody_state.hpp"
#include "vault/order.hpp"
#include "vault/statement.hpp"
#include "vault/tpm/wrapping.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace mitral;
    const base::ByteView bytes(data, size);
    static const base::Secret key = base::ed25519_new_key();
    if (const auto order = vault::parse_order(bytes)) {
        // What parses can be signed, and its encoding is the one that came.
        const auto again = vault::sign_order(order->order, key);
        if (!again || !std::equal(order->body.begin(), order->body.end(), again->begin()))
            __builtin_trap();
        if (vault::verify_order(*order, *base::ed25519_public_key(key)))
            __builtin_trap();
    }
    (void)vault::decode_policy(bytes);
    (void)vault::decode_state(bytes);
    (void)vault::decode_statement(bytes);
    (void)vault::tpm::decode_duplicate(bytes);
    (void)vault::tpm::wrap(key.view(), bytes);
    return 0;
}
