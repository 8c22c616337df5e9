// ECDSA over P-256 (FIPS 186-5), of SHA-256 digests. Keys and signatures are raw: x | y and r | s.
// Thread-safe.
#pragma once

#include <array>
#include <cstdint>

#include "base/crypto.hpp"

namespace mitral::base {

using P256PublicKey = std::array<std::uint8_t, 64>;
using P256Signature = std::array<std::uint8_t, 64>;

struct P256KeyPair {
    Secret secret;  // 32 bytes
    P256PublicKey key{};
};

[[nodiscard]] Result<P256KeyPair> p256_new_key();
[[nodiscard]] Result<P256Signature> p256_sign(const P256KeyPair& pair, const Sha256Digest& digest);
// not_authentic: another key, another digest, or no signature. A point that is not on the curve is
// no key.
[[nodiscard]] Status p256_verify(const P256PublicKey& key, const Sha256Digest& digest,
                                 ByteView signature);

}  // namespace mitral::base
