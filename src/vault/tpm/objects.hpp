// What Mitral does with keys inside the TPM: take a wrapped HMAC key, use it, seal and open data
// keys.
#pragma once

#include "base/bytes.hpp"
#include "base/crypto.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"
#include "vault/tpm/connection.hpp"
#include "vault/tpm/duplication.hpp"
#include "vault/tpm/nv.hpp"

namespace mitral::vault::tpm {

// An object as this TPM keeps it outside itself: only this TPM loads it again.
struct StoredObject {
    base::Bytes public_area;   // TPMT_PUBLIC
    base::Bytes private_area;  // TPM2B_PRIVATE without its size, encrypted by the TPM
};
[[nodiscard]] base::Bytes encode(const StoredObject& object);
[[nodiscard]] base::Result<StoredObject> decode_object(base::ByteView bytes);

// TPM2_Import and a trial load, whatever the key's rights.
[[nodiscard]] base::Result<StoredObject> import_duplicate(const Connection& tpm,
                                                          const Duplicate& duplicate);
// The same for orders: refuses a key whose public area is not exactly what Mitral's
// stations make for the present generation.
[[nodiscard]] base::Result<StoredObject> import_hmac_key(const Connection& tpm,
                                                         const NonVolatile& nv,
                                                         base::ByteView duplicate);
[[nodiscard]] base::Result<base::Sha256Digest> hmac(const Connection& tpm, const NonVolatile& nv,
                                                    const StoredObject& key, base::ByteView data);

// 32 bytes, from the TPM's generator mixed with the kernel's.
[[nodiscard]] base::Result<base::Secret> random_key(const Connection& tpm);
[[nodiscard]] base::Result<StoredObject> seal(const Connection& tpm, const NonVolatile& nv,
                                              const base::Secret& secret);
[[nodiscard]] base::Result<base::Secret> unseal(const Connection& tpm, const NonVolatile& nv,
                                                const StoredObject& object);
// For tests of what the TPM refuses.
[[nodiscard]] base::Result<Handle> load(const Connection& tpm, const StoredObject& object);

}  // namespace mitral::vault::tpm
