// Key files at a station. They must be private: a key that others can read is refused, not used.
#pragma once

#include <string>

#include "base/crypto.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"

namespace mitral::cli {

// An Ed25519 private key: PEM (PKCS #8, RFC 8410 §7) or the 32 bytes in base64.
[[nodiscard]] base::Result<base::Secret> read_station_key(const std::string& path);
// A DPS group key: 16 to 64 bytes in base64, as the portal shows it.
[[nodiscard]] base::Result<base::Secret> read_group_key(const std::string& path);
// A hospital's key for pseudonyms: 32 bytes in base64.
[[nodiscard]] base::Result<base::Secret> read_subject_key(const std::string& path);
// An Ed25519 public key: 32 bytes in base64.
[[nodiscard]] base::Result<base::Ed25519PublicKey> read_public_key(const std::string& path);

}  // namespace mitral::cli
