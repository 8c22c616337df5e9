// How a key travels from the station to a software key store: ECIES with X25519, HKDF-SHA256 and
// AES-256-GCM. Development builds only.
#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"
#include "vault/x25519.hpp"

namespace mitral::vault::software {

using WrapPublicKey = X25519PublicKey;

[[nodiscard]] base::Secret new_wrapping_key();
[[nodiscard]] base::Result<WrapPublicKey> wrapping_public_key(const base::Secret& key);

// ephemeral public key (32) | sealed secret. `secret` is a device key: 1 … 64 bytes.
[[nodiscard]] base::Result<base::Bytes> wrap(base::ByteView secret, base::ByteView recipient);
[[nodiscard]] base::Result<base::Secret> unwrap(base::ByteView blob, const base::Secret& key);

}  // namespace mitral::vault::software
