#include "vault/tpm/attestation.hpp"

#include <algorithm>
#include <string_view>

#include "vault/errors.hpp"

namespace mitral::vault::tpm {
namespace {

// Makes this key another than any the same template without it would give.
constexpr std::string_view unique = "mitral attestation 1";
constexpr std::size_t number_size = 32;

TPM2B_PUBLIC signing_template() {
    TPM2B_PUBLIC in{};
    auto& area = in.publicArea;
    area.type = TPM2_ALG_ECC;
    area.nameAlg = TPM2_ALG_SHA256;
    area.objectAttributes = TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT |
                            TPMA_OBJECT_SENSITIVEDATAORIGIN | TPMA_OBJECT_USERWITHAUTH |
                            TPMA_OBJECT_NODA | TPMA_OBJECT_SIGN_ENCRYPT;
    auto& parameters = area.parameters.eccDetail;
    parameters.symmetric.algorithm = TPM2_ALG_NULL;
    parameters.scheme.scheme = TPM2_ALG_ECDSA;
    parameters.scheme.details.ecdsa.hashAlg = TPM2_ALG_SHA256;
    parameters.curveID = TPM2_ECC_NIST_P256;
    parameters.kdf.scheme = TPM2_ALG_NULL;
    area.unique.ecc.x.size = static_cast<std::uint16_t>(unique.size());
    std::copy(unique.begin(), unique.end(), area.unique.ecc.x.buffer);
    return in;
}

// Big numbers may come without their leading zeros.
bool put_number(const TPM2B_ECC_PARAMETER& number, std::uint8_t* out) {
    if (number.size > number_size)
        return false;
    std::copy_n(number.buffer, number.size, out + number_size - number.size);
    return true;
}

auto odd_size() {
    return base::fail(VaultError::backend_failure, "the TPM's attestation key has a wrong size");
}

struct Loaded {
    Handle handle;
    base::P256PublicKey key{};
};

// Not kept loaded: a TPM has room for three objects.
base::Result<Loaded> load_key(const Connection& tpm) {
    const TPM2B_SENSITIVE_CREATE sensitive{};
    const TPM2B_PUBLIC in = signing_template();
    const TPM2B_DATA outside{};
    const TPML_PCR_SELECTION no_pcr{};
    ESYS_TR handle = ESYS_TR_NONE;
    TPM2B_PUBLIC* out_public = nullptr;
    MITRAL_CHECK(check(Esys_CreatePrimary(tpm.esys(), ESYS_TR_RH_OWNER, ESYS_TR_PASSWORD,
                                          ESYS_TR_NONE, ESYS_TR_NONE, &sensitive, &in, &outside,
                                          &no_pcr, &handle, &out_public, nullptr, nullptr, nullptr),
                       "make the TPM's attestation key"));
    const EsysPointer<TPM2B_PUBLIC> owned(out_public);
    Loaded loaded{Handle(tpm.esys(), handle), {}};
    const auto& point = out_public->publicArea.unique.ecc;
    if (!put_number(point.x, loaded.key.data()) ||
        !put_number(point.y, loaded.key.data() + number_size))
        return odd_size();
    return loaded;
}

}  // namespace

base::Result<base::P256PublicKey> attestation_key(const Connection& tpm) {
    MITRAL_TRY(const auto loaded, load_key(tpm));
    return loaded.key;
}

base::Result<base::P256Signature> sign_evidence(const Connection& tpm,
                                                const base::Sha256Digest& digest) {
    MITRAL_TRY(const auto loaded, load_key(tpm));
    MITRAL_TRY(const auto session, tpm.hmac_session(0));
    TPM2B_DIGEST hash{};
    hash.size = static_cast<std::uint16_t>(digest.size());
    std::copy(digest.begin(), digest.end(), hash.buffer);
    TPMT_SIG_SCHEME scheme{};
    scheme.scheme = TPM2_ALG_ECDSA;
    scheme.details.ecdsa.hashAlg = TPM2_ALG_SHA256;
    TPMT_TK_HASHCHECK no_ticket{};
    no_ticket.tag = TPM2_ST_HASHCHECK;
    no_ticket.hierarchy = TPM2_RH_NULL;
    TPMT_SIGNATURE* signature = nullptr;
    MITRAL_CHECK(check(Esys_Sign(tpm.esys(), loaded.handle.get(), session.get(), ESYS_TR_NONE,
                                 ESYS_TR_NONE, &hash, &scheme, &no_ticket, &signature),
                       "sign evidence in the TPM"));
    const EsysPointer<TPMT_SIGNATURE> owned(signature);
    base::P256Signature raw{};
    const auto& numbers = signature->signature.ecdsa;
    if (!put_number(numbers.signatureR, raw.data()) ||
        !put_number(numbers.signatureS, raw.data() + number_size))
        return odd_size();
    return raw;
}

}  // namespace mitral::vault::tpm
