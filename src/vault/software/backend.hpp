#pragma once

#include <memory>
#include <string>

#include "base/clock.hpp"
#include "base/crypto.hpp"
#include "vault/backend.hpp"

namespace mitral::vault::software {

// Warns in the log every time: this back end protects nothing from root or from a thief of the
// disk.
[[nodiscard]] base::Result<std::unique_ptr<Backend>> open_backend(
    const std::string& directory, const base::Ed25519PublicKey& station_key,
    const base::Clock& clock);

}  // namespace mitral::vault::software
