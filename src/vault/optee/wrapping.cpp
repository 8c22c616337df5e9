#include "vault/optee/wrapping.hpp"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#include <algorithm>
#include <memory>

#include "base/crypto.hpp"
#include "trusted/protocol.h"
#include "vault/errors.hpp"

namespace mitral::vault::optee {
namespace {

constexpr std::size_t signature_size = 64;
constexpr std::size_t max_secret = 64;
constexpr std::string_view statement_domain{TRUSTED_STATEMENT_DOMAIN,
                                            sizeof TRUSTED_STATEMENT_DOMAIN};
constexpr std::string_view transport_domain{TRUSTED_TRANSPORT_DOMAIN,
                                            sizeof TRUSTED_TRANSPORT_DOMAIN};
static_assert(static_cast<int>(Purpose::device) == TRUSTED_PURPOSE_DEVICE);
static_assert(static_cast<int>(Purpose::subject) == TRUSTED_PURPOSE_SUBJECT);

using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;

auto false_statement() {
    return base::fail(VaultError::key_refused,
                      "the statement is not signed by the unit it comes from");
}

Key p256_public_key(base::ByteView xy) {
    std::array<std::uint8_t, 65> point{4};
    std::copy_n(xy.begin(), std::min(xy.size(), point.size() - 1), point.begin() + 1);
    char group[] = "P-256";
    const OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()),
        OSSL_PARAM_construct_end()};
    const std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)> context(
        EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr), EVP_PKEY_CTX_free);
    EVP_PKEY* key = nullptr;
    if (context && EVP_PKEY_fromdata_init(context.get()) == 1)
        (void)EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY,
                                const_cast<OSSL_PARAM*>(parameters));
    return {key, EVP_PKEY_free};
}

// OpenSSL wants DER where the wire has r | s.
base::Bytes der_of(base::ByteView raw) {
    const std::unique_ptr<ECDSA_SIG, decltype(&ECDSA_SIG_free)> signature(ECDSA_SIG_new(),
                                                                          ECDSA_SIG_free);
    BIGNUM* r = BN_bin2bn(raw.data(), 32, nullptr);
    BIGNUM* s = BN_bin2bn(raw.data() + 32, 32, nullptr);
    if (!signature || ECDSA_SIG_set0(signature.get(), r, s) != 1) {
        BN_free(r);
        BN_free(s);
        return {};
    }
    unsigned char* der = nullptr;
    const int size = i2d_ECDSA_SIG(signature.get(), &der);
    base::Bytes bytes(der, der + std::max(size, 0));
    OPENSSL_free(der);
    return bytes;
}

bool is_signed_by(base::ByteView key, base::ByteView message, base::ByteView signature) {
    const Key with = p256_public_key(key);
    const auto der = der_of(signature);
    const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(),
                                                                          EVP_MD_CTX_free);
    return with && !der.empty() && context &&
           EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr, with.get()) == 1 &&
           EVP_DigestVerify(context.get(), der.data(), der.size(), message.data(),
                            message.size()) == 1;
}

base::Result<base::Secret> transport_key(const base::Secret& own, base::ByteView own_public,
                                         const WrappingKey& unit, Purpose purpose,
                                         const Statement& statement,
                                         std::string_view registration_id) {
    MITRAL_TRY(const auto shared, x25519_agree(own, unit.key));
    base::ByteWriter salt;
    salt.raw(own_public).raw(unit.key);
    base::ByteWriter info;
    info.text(transport_domain).u8(static_cast<std::uint8_t>(purpose));
    info.raw(base::sha256(encode(statement))).raw(unit.unit).text(registration_id);
    return base::hkdf_sha256(shared.view(), salt.bytes(), info.bytes(), base::Aes256Gcm::key_size);
}

}  // namespace

base::Result<WrappingKey> verify(const Statement& statement) {
    const base::ByteView bytes(statement.wrapping_key);
    if (bytes.size() != TRUSTED_WRAPPING_KEY_SIZE)
        return base::fail(VaultError::malformed, "the unit's part of the statement does not parse");
    WrappingKey result;
    auto at = bytes.begin();
    const auto take = [&at](auto& out) {
        std::copy_n(at, out.size(), out.begin());
        at += static_cast<std::ptrdiff_t>(out.size());
    };
    take(result.key);
    take(result.unit);
    take(result.attestation_key);
    base::ByteWriter message;
    message.text(statement_domain).raw(statement.nonce).raw(result.key).raw(result.unit);
    if (!is_signed_by(result.attestation_key, message.bytes(), bytes.last(signature_size)))
        return false_statement();
    return result;
}

base::Result<base::Bytes> wrap(base::ByteView secret, Purpose purpose, const Statement& statement,
                               std::string_view registration_id) {
    if (secret.empty() || secret.size() > max_secret)
        return base::fail(VaultError::key_refused, "key has an impossible size");
    MITRAL_TRY(const auto unit, verify(statement));
    const auto ephemeral = new_x25519_key();
    MITRAL_TRY(const auto ephemeral_public, x25519_public_key(ephemeral));
    MITRAL_TRY(const auto key, transport_key(ephemeral, ephemeral_public, unit, purpose, statement,
                                             registration_id));
    MITRAL_TRY(auto cipher, base::Aes256Gcm::create(key.view()));
    base::Bytes blob(ephemeral_public.begin(), ephemeral_public.end());
    // A fixed nonce is safe: the key lives for this one message.
    MITRAL_CHECK(cipher.seal({}, {}, secret, blob));
    return blob;
}

}  // namespace mitral::vault::optee
