// The back end whose rules and keys are in the secure world: it only carries requests there. What
// it says of the time is bounded by the Trusted Application.
#pragma once

#include <memory>

#include "base/clock.hpp"
#include "base/crypto.hpp"
#include "vault/backend.hpp"
#include "vault/optee/channel.hpp"

namespace mitral::vault::optee {

// Asks for the state once, so that a trust zone that does not answer shows at the start.
// `station_key` matters while the unit has no identity. The clock must outlive the back end.
[[nodiscard]] base::Result<std::unique_ptr<Backend>> open_backend(
    std::unique_ptr<Channel> channel, const base::Ed25519PublicKey& station_key,
    const base::Clock& clock);

}  // namespace mitral::vault::optee
