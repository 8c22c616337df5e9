// Key agreement (RFC 7748), for keys on their way from a station to a trust zone.
#pragma once

#include <array>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"

namespace mitral::vault {

using X25519PublicKey = std::array<std::uint8_t, 32>;

[[nodiscard]] base::Secret new_x25519_key();
[[nodiscard]] base::Result<X25519PublicKey> x25519_public_key(const base::Secret& key);
// Fails with key_refused for a peer that would make the result known to everybody.
[[nodiscard]] base::Result<base::Secret> x25519_agree(const base::Secret& own, base::ByteView peer);

}  // namespace mitral::vault
