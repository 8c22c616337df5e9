// RSA keys of Device Update's signature chain, over OpenSSL without its types. RS256 (RFC 7518
// §3.3) is RSASSA-PKCS1-v1_5 with SHA-256: the same input gives the same signature.
#pragma once

#include <memory>
#include <string>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace mitral::cloud::adu {

class RsaKey {
  public:
    static constexpr unsigned bits = 3072;
    static constexpr int exponent = 65537;

    [[nodiscard]] static base::Result<RsaKey> generate();
    [[nodiscard]] static base::Result<RsaKey> load(const std::string& path);
    RsaKey(RsaKey&&) noexcept;
    RsaKey& operator=(RsaKey&&) noexcept;
    ~RsaKey();

    [[nodiscard]] base::Status save(const std::string& path) const;  // PEM, mode 0600
    [[nodiscard]] base::Result<base::Bytes> sign(base::ByteView message) const;
    [[nodiscard]] base::Result<std::string> modulus() const;  // base64url, as in a JWK
    // SHA-256 of the public key (SubjectPublicKeyInfo, DER), base64url.
    [[nodiscard]] base::Result<std::string> public_hash() const;

  private:
    struct State;
    explicit RsaKey(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

[[nodiscard]] std::string to_base64url(base::ByteView bytes);  // RFC 7515 §2, without padding

}  // namespace mitral::cloud::adu
