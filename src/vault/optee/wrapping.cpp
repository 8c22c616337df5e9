#include "vault/optee/wrapping.hpp"

#include <algorithm>

#include "base/crypto.hpp"
#include "base/p256.hpp"
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

auto false_statement() {
    return base::fail(VaultError::key_refused,
                      "the statement is not signed by the unit it comes from");
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
    if (!base::p256_verify(result.attestation_key, base::sha256(message.bytes()),
                           bytes.last(signature_size)))
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
