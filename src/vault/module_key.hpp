// The key of a module identity: derived from the device's, so that the registry side can compute it
// and the unit needs no second secret. The zero keeps the input apart from every string a token
// signs.
#pragma once

#include <string_view>

#include "base/bytes.hpp"
#include "base/secret.hpp"

namespace mitral::vault {

// HMAC-SHA256(device key, "mitral module key 1" | 0 | module id)
[[nodiscard]] base::Secret derive_module_key(base::ByteView device_key, std::string_view module);

}  // namespace mitral::vault
