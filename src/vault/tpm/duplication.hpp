// A duplication blob for TPM2_Import, made without a TPM (TPM 2.0 Part 1, 23.3: no inner wrapper,
// outer wrapper to an ECC P-256 storage key; Annex C.6.2 for the seed). The key inside is seen by
// this process and by the target TPM only.
#pragma once

#include "base/bytes.hpp"
#include "base/crypto.hpp"
#include "base/result.hpp"

namespace mitral::vault::tpm {

// The three inputs of TPM2_Import, each without its size prefix.
struct Duplicate {
    base::Bytes object;     // TPMT_PUBLIC
    base::Bytes sensitive;  // TPM2B_DIGEST (integrity) and encrypted TPM2B_SENSITIVE
    base::Bytes seed;       // TPMS_ECC_POINT, the ephemeral key
};

// The public area of an HMAC-SHA256 key: signs, is no decryption key, unrestricted; used and
// administered by `policy` alone, outside dictionary-attack protection as it has no guessable
// authorisation. `unique` binds it to its secret.
[[nodiscard]] base::Bytes hmac_key_public(const base::Sha256Digest& policy,
                                          const base::Sha256Digest& unique);

// `parent` is the TPMT_PUBLIC of a restricted ECC P-256 storage key that is fixed to its TPM, with
// SHA-256 names and AES-128-CFB; anything else is refused.
[[nodiscard]] base::Result<Duplicate> make_duplicate(base::ByteView secret,
                                                     const base::Sha256Digest& policy,
                                                     base::ByteView parent);

// Part 1, 11.4.10.2 and 11.4.10.3, for SHA-256 and at most 256 bits; public for the vectors.
[[nodiscard]] base::Secret kdf_a(base::ByteView key, std::string_view label,
                                 base::ByteView context_u, base::ByteView context_v,
                                 std::uint32_t bits);
[[nodiscard]] base::Secret kdf_e(base::ByteView z, std::string_view use, base::ByteView party_u,
                                 base::ByteView party_v, std::uint32_t bits);

}  // namespace mitral::vault::tpm
