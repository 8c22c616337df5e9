// The key that signs evidence: ECDSA P-256, a primary key of the owner's hierarchy made from the
// same template each time. Nothing of it is stored; it stays for ever, wipes included, until the
// TPM is cleared. It never leaves the TPM, but whoever can open the TPM device can have it sign
// anything.
#pragma once

#include "base/p256.hpp"
#include "vault/tpm/connection.hpp"

namespace mitral::vault::tpm {

[[nodiscard]] base::Result<base::P256PublicKey> attestation_key(const Connection& tpm);
[[nodiscard]] base::Result<base::P256Signature> sign_evidence(const Connection& tpm,
                                                              const base::Sha256Digest& digest);

}  // namespace mitral::vault::tpm
