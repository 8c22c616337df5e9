// What custody remembers between starts. No secrets: slots hold keys only their trust zone can use.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/bytes.hpp"
#include "base/crypto.hpp"
#include "base/result.hpp"
#include "vault/client.hpp"
#include "vault/keystore.hpp"
#include "vault/order.hpp"

namespace mitral::vault {

struct CustodyState {
    VaultState state = VaultState::unprovisioned;
    Ratchet ratchet;  // survives a wipe: old orders stay old
    std::string registration_id;
    std::optional<base::Ed25519PublicKey> station_key;  // the one that provisioned
    std::optional<Policy> policy;
    base::Bytes active;     // key slots
    base::Bytes pending;    // empty: no rotation waits
    base::Bytes subject;    // slot of the site key; empty: no pseudonyms
    bool doubtful = false;  // what was stored was refused at this start; not stored itself
};

[[nodiscard]] base::Bytes encode(const CustodyState& state);
[[nodiscard]] base::Result<CustodyState> decode_state(base::ByteView bytes);

}  // namespace mitral::vault
