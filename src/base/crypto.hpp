// The few primitives Mitral uses, over OpenSSL, without its types. All functions are thread-safe;
// objects are not.
#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"

namespace mitral::base {

using Sha256Digest = std::array<std::uint8_t, 32>;
using Sha512Digest = std::array<std::uint8_t, 64>;

[[nodiscard]] Sha256Digest sha256(ByteView data);
[[nodiscard]] Sha512Digest sha512(ByteView data);
[[nodiscard]] Sha256Digest hmac_sha256(ByteView key, ByteView data);
// The kernel-seeded generator; failure to produce randomness ends the process.
void fill_random(MutableByteView out);
[[nodiscard]] std::uint64_t random_u64();

// HKDF-SHA256 (RFC 5869), for keys from a shared secret.
[[nodiscard]] Result<Secret> hkdf_sha256(ByteView secret, ByteView salt, ByteView info,
                                         std::size_t size);

// AES-256-GCM with a 12-byte nonce and a 16-byte tag (NIST SP 800-38D). The caller never reuses a
// nonce under one key: Mitral uses a counter under a key that lives as long as one segment or
// message.
class Aes256Gcm {
  public:
    static constexpr std::size_t key_size = 32;
    static constexpr std::size_t tag_size = 16;
    using Nonce = std::array<std::uint8_t, 12>;

    [[nodiscard]] static Result<Aes256Gcm> create(ByteView key);
    Aes256Gcm(Aes256Gcm&&) noexcept;
    Aes256Gcm& operator=(Aes256Gcm&&) noexcept;
    ~Aes256Gcm();

    // Appends ciphertext and tag to `out`.
    [[nodiscard]] Status seal(const Nonce& nonce, ByteView associated, ByteView plain, Bytes& out);
    // `sealed` ends with the tag. Writes sealed.size() - tag_size bytes to `out` (replacing its
    // content).
    [[nodiscard]] Status open(const Nonce& nonce, ByteView associated, ByteView sealed, Bytes& out);

  private:
    struct State;
    explicit Aes256Gcm(std::unique_ptr<State> state) noexcept;
    std::unique_ptr<State> state_;
};

// Ed25519 (RFC 8032). Keys and signatures are raw.
using Ed25519PublicKey = std::array<std::uint8_t, 32>;
using Ed25519Signature = std::array<std::uint8_t, 64>;
[[nodiscard]] Secret ed25519_new_key();
[[nodiscard]] Result<Ed25519PublicKey> ed25519_public_key(const Secret& key);
[[nodiscard]] Result<Ed25519Signature> ed25519_sign(const Secret& key, ByteView message);
[[nodiscard]] Status ed25519_verify(const Ed25519PublicKey& key, ByteView message,
                                    ByteView signature);

// CRC-32C (Castagnoli, RFC 3720 §B.4): finds torn writes; it is no protection against an attacker.
[[nodiscard]] std::uint32_t crc32c(ByteView data, std::uint32_t previous = 0) noexcept;

}  // namespace mitral::base
