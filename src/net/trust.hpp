// The pinned roots: files of the image, or a signed bundle that replaces all of them, so that a
// certificate authority can be rolled over in the field without a new image.
//
// Bundle (text, ≤ 64 KiB): a header line, the version, PEM certificates, the signature last.
//   mitral-trust-bundle/1
//   version: 7
//   -----BEGIN CERTIFICATE-----
//   …
//   -----END CERTIFICATE-----
//   signature: <base64, Ed25519 over every byte before this line>
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/crypto.hpp"
#include "base/result.hpp"

namespace mitral::net {

constexpr std::size_t max_bundle_size = 64 * 1024;

struct TrustBundle {
    std::uint64_t version = 0;
    std::string roots_pem;
};

[[nodiscard]] base::Result<TrustBundle> open_trust_bundle(std::string_view text,
                                                          const base::Ed25519PublicKey& authority);
// For the fleet's side.
[[nodiscard]] base::Result<std::string> sign_trust_bundle(const TrustBundle& bundle,
                                                          const base::Secret& authority_key);

struct TrustSettings {
    std::vector<std::string> root_files;  // PEM
    std::string bundle_file;              // may not exist yet: then root_files hold
    std::string bundle_key_file;  // the authority's Ed25519 key, base64; needed with bundle_file
};
// The PEM texts to pin. A bundle that is there but does not verify is an error, never a fall-back.
[[nodiscard]] base::Result<std::vector<std::string>> pinned_roots(const TrustSettings& settings);

// Puts `text` in the bundle's place when it verifies and its version is higher than the installed
// one's.
[[nodiscard]] base::Result<TrustBundle> install_trust_bundle(const TrustSettings& settings,
                                                             std::string_view text);

}  // namespace mitral::net
