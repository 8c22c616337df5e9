// Any datagram, from a peer with every right: the service must answer and never mint what it should
// not.
#include "vault/protocol.hpp"

#include <algorithm>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace mitral;
    const base::ByteView bytes(data, size);
    if (const auto request = vault::decode_request(bytes)) {
        // One meaning, one encoding.
        const auto again = vault::encode(*request);
        if (!std::equal(again.begin(), again.end(), bytes.begin(), bytes.end()))
            __builtin_trap();
    }
    (void)vault::decode_token_reply(bytes);
    (void)vault::decode_data_key_reply(bytes);
    (void)vault::decode_pseudonym_reply(bytes);
    (void)vault::decode_status_reply(bytes);
    (void)vault::decode_statement_reply(bytes);
    return 0;
}
