#pragma once

#include <memory>
#include <string>

#include "base/clock.hpp"
#include "base/crypto.hpp"
#include "base/sandbox.hpp"
#include "vault/backend.hpp"

namespace mitral::vault::tpm {

// `tcti` as tss2-tctildr(7) writes it: "device:/dev/tpmrm0", "swtpm:host=127.0.0.1,port=2321".
// `directory` holds wrapped keys and the custody state, nothing secret.
[[nodiscard]] base::Result<std::unique_ptr<Backend>> open_backend(
    const std::string& directory, const std::string& tcti,
    const base::Ed25519PublicKey& station_key, const base::Clock& clock);

// Lets the process reach that TPM, now and after the TPM came back from a restart, and nothing
// more.
[[nodiscard]] base::Status extend_sandbox(const std::string& tcti, base::SandboxPolicy& policy);

}  // namespace mitral::vault::tpm
