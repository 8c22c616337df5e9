#include "vault/tpm/connection.hpp"

#include <tss2/tss2_mu.h>
#include <tss2/tss2_rc.h>
#include <tss2/tss2_tctildr.h>

#include <array>
#include <cstdlib>
#include <utility>

#include "vault/errors.hpp"

namespace mitral::vault::tpm {
namespace {

constexpr TPMT_SYM_DEF session_cipher{
    .algorithm = TPM2_ALG_AES, .keyBits = {.aes = 128}, .mode = {.aes = TPM2_ALG_CFB}};

bool is_tpm_response(TSS2_RC code) {
    return (code & TSS2_RC_LAYER_MASK) == TSS2_TPM_RC_LAYER;
}

// The TPM lost what we loaded: it was reset behind our back.
bool means_reset(TSS2_RC code) {
    return code == TPM2_RC_INITIALIZE ||
           (code >= TPM2_RC_REFERENCE_H0 && code <= TPM2_RC_REFERENCE_S6);
}

// TPM 2.0 Part 2, 6.6.3: a format-one code carries the number of the parameter or session beside
// it.
TSS2_RC without_position(TSS2_RC code) {
    return (code & TPM2_RC_FMT1) != 0 ? code & (TPM2_RC_FMT1 | 0x3F) : code;
}

bool judges_object(TSS2_RC code) {
    switch (without_position(code)) {
        case TPM2_RC_INTEGRITY:
        case TPM2_RC_BINDING:
        case TPM2_RC_POLICY:
        case TPM2_RC_POLICY_FAIL:
        case TPM2_RC_SIZE:
        case TPM2_RC_TYPE:
        case TPM2_RC_VALUE:
        case TPM2_RC_ATTRIBUTES:
        case TPM2_RC_KEY_SIZE:
        case TPM2_RC_SCHEME:
        case TPM2_RC_KEY:
        case TPM2_RC_SYMMETRIC:
        case TPM2_RC_HASH:
        case TPM2_RC_INSUFFICIENT:
        case TPM2_RC_ECC_POINT:
        case TPM2_RC_CURVE:
            return true;
        default:
            return false;
    }
}

// ECC P-256, restricted decryption, fixed to this TPM: the usual storage key, from the same
// template each time, so that nothing has to be kept in the TPM between starts.
TPM2B_PUBLIC primary_template() {
    TPM2B_PUBLIC in{};
    auto& area = in.publicArea;
    area.type = TPM2_ALG_ECC;
    area.nameAlg = TPM2_ALG_SHA256;
    area.objectAttributes = TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT |
                            TPMA_OBJECT_SENSITIVEDATAORIGIN | TPMA_OBJECT_USERWITHAUTH |
                            TPMA_OBJECT_NODA | TPMA_OBJECT_RESTRICTED | TPMA_OBJECT_DECRYPT;
    auto& parameters = area.parameters.eccDetail;
    parameters.symmetric.algorithm = TPM2_ALG_AES;
    parameters.symmetric.keyBits.aes = 128;
    parameters.symmetric.mode.aes = TPM2_ALG_CFB;
    parameters.scheme.scheme = TPM2_ALG_NULL;
    parameters.curveID = TPM2_ECC_NIST_P256;
    parameters.kdf.scheme = TPM2_ALG_NULL;
    area.unique.ecc.x.size = 32;
    area.unique.ecc.y.size = 32;
    return in;
}

}  // namespace

base::Status check(TSS2_RC code, std::string_view doing) {
    if (code == TSS2_RC_SUCCESS)
        return {};
    std::string text = std::string(doing) + ": " + Tss2_RC_Decode(code);
    if (!is_tpm_response(code) || means_reset(code))
        return base::fail(VaultError::backend_unavailable, std::move(text));
    return base::fail(judges_object(code) ? VaultError::key_refused : VaultError::backend_failure,
                      std::move(text));
}

Handle::Handle(Handle&& other) noexcept
    : context_(std::exchange(other.context_, nullptr)),
      handle_(std::exchange(other.handle_, ESYS_TR_NONE)) {}

Handle& Handle::operator=(Handle&& other) noexcept {
    std::swap(context_, other.context_);
    std::swap(handle_, other.handle_);
    return *this;
}

Handle::~Handle() {
    if (handle_ != ESYS_TR_NONE)
        (void)Esys_FlushContext(context_, handle_);
}

base::Result<std::unique_ptr<Connection>> Connection::open(const std::string& tcti) {
    std::unique_ptr<Connection> connection(new Connection);
    MITRAL_CHECK(connection->start(tcti));
    return connection;
}

Connection::~Connection() {
    primary_ = Handle();
    Esys_Finalize(&esys_);
    Tss2_TctiLdr_Finalize(&tcti_);
}

base::Status Connection::start(const std::string& tcti) {
    // The library would print its own lines on standard error; ours carry the same text.
    (void)setenv("TSS2_LOG", "all+NONE", 0);
    if (const auto code = Tss2_TctiLdr_Initialize(tcti.c_str(), &tcti_); code != TSS2_RC_SUCCESS)
        return base::fail(VaultError::backend_unavailable,
                          "no TPM answers at " + tcti + " (vault.tcti): " + Tss2_RC_Decode(code));
    MITRAL_CHECK(check(Esys_Initialize(&esys_, tcti_, nullptr), "start the TPM library"));
    const auto code = Esys_Startup(esys_, TPM2_SU_CLEAR);
    if (code != TPM2_RC_INITIALIZE)  // the firmware or the kernel did it before us
        MITRAL_CHECK(check(code, "start the TPM"));
    MITRAL_CHECK(flush_leftovers(TPM2_TRANSIENT_FIRST));
    MITRAL_CHECK(flush_leftovers(TPM2_LOADED_SESSION_FIRST));
    return create_primary();
}

// A daemon that was killed leaves its keys and sessions in a TPM that no resource manager stands
// before (swtpm), until there is room for no more. Behind /dev/tpmrm0 only our own are visible.
base::Status Connection::flush_leftovers(TPM2_HANDLE first) {
    TPMS_CAPABILITY_DATA* found = nullptr;
    MITRAL_CHECK(
        check(Esys_GetCapability(esys_, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, TPM2_CAP_HANDLES,
                                 first, TPM2_MAX_CAP_HANDLES, nullptr, &found),
              "list what the TPM holds"));
    const EsysPointer<TPMS_CAPABILITY_DATA> owned(found);
    const auto& handles = found->data.handles;
    for (std::size_t i = 0; i < handles.count; ++i) {
        ESYS_TR leftover = ESYS_TR_NONE;
        MITRAL_CHECK(check(Esys_TR_FromTPMPublic(esys_, handles.handle[i], ESYS_TR_NONE,
                                                 ESYS_TR_NONE, ESYS_TR_NONE, &leftover),
                           "look at a forgotten TPM handle"));
        MITRAL_CHECK(check(Esys_FlushContext(esys_, leftover), "flush a forgotten TPM handle"));
    }
    return {};
}

base::Status Connection::create_primary() {
    const TPM2B_SENSITIVE_CREATE sensitive{};
    const TPM2B_PUBLIC in = primary_template();
    const TPM2B_DATA outside{};
    const TPML_PCR_SELECTION no_pcr{};
    ESYS_TR handle = ESYS_TR_NONE;
    TPM2B_PUBLIC* out_public = nullptr;
    MITRAL_CHECK(check(Esys_CreatePrimary(esys_, ESYS_TR_RH_OWNER, ESYS_TR_PASSWORD, ESYS_TR_NONE,
                                          ESYS_TR_NONE, &sensitive, &in, &outside, &no_pcr, &handle,
                                          &out_public, nullptr, nullptr, nullptr),
                       "make the TPM's storage key"));
    const EsysPointer<TPM2B_PUBLIC> owned(out_public);
    primary_ = Handle(esys_, handle);

    std::array<std::uint8_t, sizeof(TPMT_PUBLIC)> buffer{};
    std::size_t size = 0;
    MITRAL_CHECK(check(
        Tss2_MU_TPMT_PUBLIC_Marshal(&out_public->publicArea, buffer.data(), buffer.size(), &size),
        "read the TPM's storage key"));
    primary_public_.assign(buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(size));

    TPM2B_NAME* name = nullptr;
    MITRAL_CHECK(check(Esys_TR_GetName(esys_, handle, &name), "name the TPM's storage key"));
    const EsysPointer<TPM2B_NAME> owned_name(name);
    primary_name_.assign(name->name, name->name + name->size);
    return {};
}

base::Result<Handle> Connection::hmac_session(TPMA_SESSION encryption) const {
    return session(TPM2_SE_HMAC, encryption);
}

base::Result<Handle> Connection::policy_session(TPMA_SESSION encryption) const {
    return session(TPM2_SE_POLICY, encryption);
}

base::Result<Handle> Connection::session(TPM2_SE kind, TPMA_SESSION encryption) const {
    ESYS_TR handle = ESYS_TR_NONE;
    MITRAL_CHECK(check(Esys_StartAuthSession(esys_, primary_.get(), ESYS_TR_NONE, ESYS_TR_NONE,
                                             ESYS_TR_NONE, ESYS_TR_NONE, nullptr, kind,
                                             &session_cipher, TPM2_ALG_SHA256, &handle),
                       "open a TPM session"));
    Handle owned(esys_, handle);
    const TPMA_SESSION attributes = encryption | TPMA_SESSION_CONTINUESESSION;
    MITRAL_CHECK(
        check(Esys_TRSess_SetAttributes(esys_, handle, attributes, 0xFF), "set up a TPM session"));
    return owned;
}

}  // namespace mitral::vault::tpm
