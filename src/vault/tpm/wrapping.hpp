// What a TPM tells the station to wrap keys for, and the wrapping: the counterpart of
// software/wrapping.hpp. No TPM library is needed here.
#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "vault/tpm/duplication.hpp"
#include "vault/tpm/policy.hpp"

namespace mitral::vault::tpm {

// The back end's part of a statement.
struct WrappingKey {
    base::Bytes storage_key;  // TPMT_PUBLIC of the primary
    Generation generation;
};

[[nodiscard]] base::Bytes encode(const WrappingKey& key);
[[nodiscard]] base::Result<WrappingKey> decode_wrapping_key(base::ByteView bytes);

// A blob for TPM2_Import. `secret`: 1 … 64 bytes, an HMAC-SHA256 key. The object's policy is
// computed here, so a unit cannot talk the station into a key that may be duplicated.
[[nodiscard]] base::Result<base::Bytes> wrap(base::ByteView secret, base::ByteView wrapping_key);

[[nodiscard]] base::Bytes encode(const Duplicate& duplicate);
[[nodiscard]] base::Result<Duplicate> decode_duplicate(base::ByteView blob);

}  // namespace mitral::vault::tpm
