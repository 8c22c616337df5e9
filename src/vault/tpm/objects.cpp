#include "vault/tpm/objects.hpp"

#include <tss2/tss2_mu.h>

#include <algorithm>
#include <array>

#include "vault/errors.hpp"
#include "vault/tpm/policy.hpp"
#include "vault/tpm/wrapping.hpp"

namespace mitral::vault::tpm {
namespace {

constexpr std::uint16_t key_size = 32;

auto refused(std::string_view why) {
    return base::fail(VaultError::key_refused, std::string(why));
}

template <typename Buffer>
base::Status fill(Buffer& out, std::uint8_t* bytes, std::size_t capacity, base::ByteView in) {
    if (in.size() > capacity)
        return refused("wrapped key is too long");
    out.size = static_cast<std::uint16_t>(in.size());
    std::copy(in.begin(), in.end(), bytes);
    return {};
}

base::Result<TPM2B_PUBLIC> unmarshal_public(base::ByteView bytes) {
    TPM2B_PUBLIC out{};
    std::size_t used = 0;
    if (Tss2_MU_TPMT_PUBLIC_Unmarshal(bytes.data(), bytes.size(), &used, &out.publicArea) !=
            TSS2_RC_SUCCESS ||
        used != bytes.size())
        return refused("public area of a wrapped key does not parse");
    return out;
}

base::Result<base::Bytes> marshal_public(const TPM2B_PUBLIC& area) {
    std::array<std::uint8_t, sizeof(TPMT_PUBLIC)> buffer{};
    std::size_t size = 0;
    MITRAL_CHECK(
        check(Tss2_MU_TPMT_PUBLIC_Marshal(&area.publicArea, buffer.data(), buffer.size(), &size),
              "read a TPM object"));
    return base::Bytes(buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(size));
}

base::Bytes copy(const TPM2B_PRIVATE& area) {
    return {area.buffer, area.buffer + area.size};
}

// A session that satisfies key_policy(): fails when a wipe has raised the generation.
base::Result<Handle> authorise(const Connection& tpm, const NonVolatile& nv,
                               std::uint64_t generation, Command command, TPMA_SESSION encryption) {
    MITRAL_TRY(auto session, tpm.policy_session(encryption));
    TPM2B_OPERAND operand{};
    const auto value = base::ByteWriter().u64(generation).bytes();
    MITRAL_CHECK(fill(operand, operand.buffer, sizeof operand.buffer, value));
    {
        MITRAL_TRY(const auto reader, tpm.hmac_session(0));
        MITRAL_CHECK(check(
            Esys_PolicyNV(tpm.esys(), nv.generation_handle(), nv.generation_handle(), session.get(),
                          reader.get(), ESYS_TR_NONE, ESYS_TR_NONE, &operand, 0, TPM2_EO_EQ),
            "match the key's generation (was it wiped?)"));
    }
    MITRAL_CHECK(check(Esys_PolicyCommandCode(tpm.esys(), session.get(), ESYS_TR_NONE, ESYS_TR_NONE,
                                              ESYS_TR_NONE, static_cast<TPM2_CC>(command)),
                       "bind a TPM session to its command"));
    return session;
}

base::Status check_is_ours(base::ByteView object, const Generation& generation) {
    if (object.size() < key_size)
        return refused("public area of a wrapped key does not parse");
    base::Sha256Digest unique{};
    std::copy(object.end() - key_size, object.end(), unique.begin());
    const auto expected = hmac_key_public(key_policy(generation, Command::hmac), unique);
    if (!std::equal(object.begin(), object.end(), expected.begin(), expected.end()))
        return refused("a wrapped key has other rights than Mitral's, or an older generation");
    return {};
}

TPM2B_PUBLIC sealed_template(const Generation& generation) {
    TPM2B_PUBLIC in{};
    auto& area = in.publicArea;
    area.type = TPM2_ALG_KEYEDHASH;
    area.nameAlg = TPM2_ALG_SHA256;
    area.objectAttributes = TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT |
                            TPMA_OBJECT_ADMINWITHPOLICY | TPMA_OBJECT_NODA;
    area.parameters.keyedHashDetail.scheme.scheme = TPM2_ALG_NULL;
    const auto policy = key_policy(generation, Command::unseal);
    area.authPolicy.size = static_cast<std::uint16_t>(policy.size());
    std::copy(policy.begin(), policy.end(), area.authPolicy.buffer);
    return in;
}

}  // namespace

base::Bytes encode(const StoredObject& object) {
    base::ByteWriter out;
    out.block16(object.public_area).block16(object.private_area);
    return std::move(out).bytes();
}

base::Result<StoredObject> decode_object(base::ByteView bytes) {
    base::ByteReader in(bytes);
    const auto public_area = in.block16();
    const auto private_area = in.block16();
    if (!public_area || !private_area || !in.done())
        return refused("wrapped key does not parse");
    return StoredObject{{public_area->begin(), public_area->end()},
                        {private_area->begin(), private_area->end()}};
}

base::Result<Handle> load(const Connection& tpm, const StoredObject& object) {
    MITRAL_TRY(const auto public_area, unmarshal_public(object.public_area));
    TPM2B_PRIVATE private_area{};
    MITRAL_CHECK(
        fill(private_area, private_area.buffer, sizeof private_area.buffer, object.private_area));
    MITRAL_TRY(const auto session, tpm.hmac_session(TPMA_SESSION_DECRYPT | TPMA_SESSION_ENCRYPT));
    ESYS_TR handle = ESYS_TR_NONE;
    MITRAL_CHECK(check(Esys_Load(tpm.esys(), tpm.primary(), session.get(), ESYS_TR_NONE,
                                 ESYS_TR_NONE, &private_area, &public_area, &handle),
                       "load a key into the TPM"));
    return Handle(tpm.esys(), handle);
}

base::Result<StoredObject> import_hmac_key(const Connection& tpm, const NonVolatile& nv,
                                           base::ByteView blob) {
    MITRAL_TRY(const auto duplicate, decode_duplicate(blob));
    MITRAL_TRY(const auto generation, nv.generation(tpm));
    MITRAL_CHECK(check_is_ours(duplicate.object, generation));
    return import_duplicate(tpm, duplicate);
}

base::Result<StoredObject> import_duplicate(const Connection& tpm, const Duplicate& duplicate) {
    MITRAL_TRY(const auto public_area, unmarshal_public(duplicate.object));
    TPM2B_PRIVATE sensitive{};
    MITRAL_CHECK(fill(sensitive, sensitive.buffer, sizeof sensitive.buffer, duplicate.sensitive));
    TPM2B_ENCRYPTED_SECRET seed{};
    MITRAL_CHECK(fill(seed, seed.secret, sizeof seed.secret, duplicate.seed));
    const TPM2B_DATA no_inner_key{};
    const TPMT_SYM_DEF_OBJECT no_inner_wrapper{
        .algorithm = TPM2_ALG_NULL, .keyBits = {}, .mode = {}};

    MITRAL_TRY(const auto session, tpm.hmac_session(TPMA_SESSION_DECRYPT | TPMA_SESSION_ENCRYPT));
    TPM2B_PRIVATE* imported = nullptr;
    MITRAL_CHECK(check(
        Esys_Import(tpm.esys(), tpm.primary(), session.get(), ESYS_TR_NONE, ESYS_TR_NONE,
                    &no_inner_key, &public_area, &sensitive, &seed, &no_inner_wrapper, &imported),
        "import a wrapped key"));
    const EsysPointer<TPM2B_PRIVATE> owned(imported);
    StoredObject object{duplicate.object, copy(*imported)};
    MITRAL_CHECK(load(tpm, object));
    return object;
}

base::Result<base::Sha256Digest> hmac(const Connection& tpm, const NonVolatile& nv,
                                      const StoredObject& key, base::ByteView data) {
    TPM2B_MAX_BUFFER buffer{};
    MITRAL_CHECK(fill(buffer, buffer.buffer, sizeof buffer.buffer, data));
    MITRAL_TRY(const auto generation, nv.generation(tpm));
    MITRAL_TRY(const auto handle, load(tpm, key));
    MITRAL_TRY(const auto session, authorise(tpm, nv, generation.value, Command::hmac,
                                             TPMA_SESSION_DECRYPT | TPMA_SESSION_ENCRYPT));
    TPM2B_DIGEST* mac = nullptr;
    MITRAL_CHECK(check(Esys_HMAC(tpm.esys(), handle.get(), session.get(), ESYS_TR_NONE,
                                 ESYS_TR_NONE, &buffer, TPM2_ALG_SHA256, &mac),
                       "compute an HMAC in the TPM"));
    const EsysPointer<TPM2B_DIGEST> owned(mac);
    base::Sha256Digest result{};
    if (mac->size != result.size())
        return base::fail(VaultError::backend_failure, "the TPM's HMAC has a wrong size");
    std::copy_n(mac->buffer, result.size(), result.begin());
    base::wipe({mac->buffer, mac->size});
    return result;
}

base::Result<base::Secret> random_key(const Connection& tpm) {
    MITRAL_TRY(const auto session, tpm.hmac_session(TPMA_SESSION_ENCRYPT));
    TPM2B_DIGEST* bytes = nullptr;
    MITRAL_CHECK(check(
        Esys_GetRandom(tpm.esys(), session.get(), ESYS_TR_NONE, ESYS_TR_NONE, key_size, &bytes),
        "get random bytes from the TPM"));
    const EsysPointer<TPM2B_DIGEST> owned(bytes);
    base::Secret local(key_size);
    base::fill_random(local.bytes());
    auto mixed = base::hmac_sha256(local.view(), {bytes->buffer, bytes->size});
    base::wipe({bytes->buffer, bytes->size});
    base::Secret key{base::ByteView(mixed)};
    base::wipe(mixed);
    return key;
}

base::Result<StoredObject> seal(const Connection& tpm, const NonVolatile& nv,
                                const base::Secret& secret) {
    MITRAL_TRY(const auto generation, nv.generation(tpm));
    const TPM2B_PUBLIC in = sealed_template(generation);
    const TPM2B_DATA outside{};
    const TPML_PCR_SELECTION no_pcr{};
    TPM2B_SENSITIVE_CREATE sensitive{};
    MITRAL_CHECK(fill(sensitive.sensitive.data, sensitive.sensitive.data.buffer,
                      sizeof sensitive.sensitive.data.buffer, secret.view()));
    MITRAL_TRY(const auto session, tpm.hmac_session(TPMA_SESSION_DECRYPT | TPMA_SESSION_ENCRYPT));
    TPM2B_PRIVATE* out_private = nullptr;
    TPM2B_PUBLIC* out_public = nullptr;
    const auto code = Esys_Create(tpm.esys(), tpm.primary(), session.get(), ESYS_TR_NONE,
                                  ESYS_TR_NONE, &sensitive, &in, &outside, &no_pcr, &out_private,
                                  &out_public, nullptr, nullptr, nullptr);
    base::wipe({sensitive.sensitive.data.buffer, sensitive.sensitive.data.size});
    const EsysPointer<TPM2B_PRIVATE> owned_private(out_private);
    const EsysPointer<TPM2B_PUBLIC> owned_public(out_public);
    MITRAL_CHECK(check(code, "seal a data key in the TPM"));
    MITRAL_TRY(auto public_area, marshal_public(*out_public));
    return StoredObject{std::move(public_area), copy(*out_private)};
}

base::Result<base::Secret> unseal(const Connection& tpm, const NonVolatile& nv,
                                  const StoredObject& object) {
    MITRAL_TRY(const auto generation, nv.generation(tpm));
    MITRAL_TRY(const auto handle, load(tpm, object));
    MITRAL_TRY(const auto session,
               authorise(tpm, nv, generation.value, Command::unseal, TPMA_SESSION_ENCRYPT));
    TPM2B_SENSITIVE_DATA* data = nullptr;
    MITRAL_CHECK(check(
        Esys_Unseal(tpm.esys(), handle.get(), session.get(), ESYS_TR_NONE, ESYS_TR_NONE, &data),
        "open a data key in the TPM"));
    const EsysPointer<TPM2B_SENSITIVE_DATA> owned(data);
    base::Secret secret{base::ByteView(data->buffer, data->size)};
    base::wipe({data->buffer, data->size});
    return secret;
}

}  // namespace mitral::vault::tpm
