// How a key travels from the station to the Trusted Application (docs/trust-zone.md,
// "Provisioning").
#pragma once

#include <array>
#include <string_view>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "vault/statement.hpp"
#include "vault/x25519.hpp"

namespace mitral::vault::optee {

using AttestationKey = std::array<std::uint8_t, 64>;  // P-256: x, y
using UnitId = std::array<std::uint8_t, 32>;

// The unit's part of a statement, after its signature was checked: it shows that whoever made the
// statement holds the attestation key, not whose key that is. A ledger can know that.
struct WrappingKey {
    X25519PublicKey key{};
    UnitId unit{};
    AttestationKey attestation_key{};
};
[[nodiscard]] base::Result<WrappingKey> verify(const Statement& statement);

enum class Purpose : char { device = 'd', subject = 's' };

// For this statement, this unit, this identity and this purpose alone. `secret`: 1 … 64 bytes.
[[nodiscard]] base::Result<base::Bytes> wrap(base::ByteView secret, Purpose purpose,
                                             const Statement& statement,
                                             std::string_view registration_id);

}  // namespace mitral::vault::optee
