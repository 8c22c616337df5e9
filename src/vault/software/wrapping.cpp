#include "vault/software/wrapping.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <memory>

#include "base/crypto.hpp"
#include "vault/errors.hpp"

namespace mitral::vault::software {
namespace {

constexpr std::size_t key_size = 32;
constexpr std::size_t max_secret = 64;
constexpr std::string_view domain = "mitral wrap 1";

using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using KeyContext = std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)>;

auto refused() {
    return base::fail(VaultError::key_refused, "wrapped key does not open here");
}

base::Result<base::Secret> agree(const base::Secret& own, base::ByteView peer) {
    const Key key(
        EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, nullptr, own.view().data(), own.size()),
        EVP_PKEY_free);
    const Key other(EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, nullptr, peer.data(), peer.size()),
                    EVP_PKEY_free);
    if (!key || !other)
        return refused();
    const KeyContext context(EVP_PKEY_CTX_new(key.get(), nullptr), EVP_PKEY_CTX_free);
    base::Secret shared(key_size);
    std::size_t size = shared.size();
    // OpenSSL refuses an all-zero result (RFC 7748 §6.1).
    if (!context || EVP_PKEY_derive_init(context.get()) != 1 ||
        EVP_PKEY_derive_set_peer(context.get(), other.get()) != 1 ||
        EVP_PKEY_derive(context.get(), shared.bytes().data(), &size) != 1 || size != key_size)
        return refused();
    return shared;
}

base::Result<base::Secret> message_key(const base::Secret& own, base::ByteView peer,
                                       base::ByteView ephemeral, base::ByteView recipient) {
    MITRAL_TRY(const auto shared, agree(own, peer));
    base::ByteWriter salt;
    salt.raw(ephemeral).raw(recipient);
    return base::hkdf_sha256(shared.view(), salt.bytes(), base::as_bytes(domain), key_size);
}

}  // namespace

base::Secret new_wrapping_key() {
    base::Secret key(key_size);
    base::fill_random(key.bytes());
    return key;
}

base::Result<WrapPublicKey> wrapping_public_key(const base::Secret& key) {
    const Key own(
        EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, nullptr, key.view().data(), key.size()),
        EVP_PKEY_free);
    WrapPublicKey result{};
    std::size_t size = result.size();
    if (!own || EVP_PKEY_get_raw_public_key(own.get(), result.data(), &size) != 1)
        return base::fail(VaultError::backend_failure, "wrapping key is unusable");
    return result;
}

base::Result<base::Bytes> wrap(base::ByteView secret, base::ByteView recipient) {
    if (secret.empty() || secret.size() > max_secret || recipient.size() != key_size)
        return base::fail(VaultError::key_refused, "key or recipient has an impossible size");
    const base::Secret ephemeral = new_wrapping_key();
    MITRAL_TRY(const auto ephemeral_public, wrapping_public_key(ephemeral));
    MITRAL_TRY(const auto key, message_key(ephemeral, recipient, ephemeral_public, recipient));
    MITRAL_TRY(auto cipher, base::Aes256Gcm::create(key.view()));
    base::Bytes blob(ephemeral_public.begin(), ephemeral_public.end());
    // A fixed nonce is safe: the key lives for this one message.
    MITRAL_CHECK(cipher.seal({}, recipient, secret, blob));
    return blob;
}

base::Result<base::Secret> unwrap(base::ByteView blob, const base::Secret& key) {
    if (blob.size() <= key_size + base::Aes256Gcm::tag_size ||
        blob.size() > key_size + base::Aes256Gcm::tag_size + max_secret)
        return refused();
    const auto ephemeral = blob.first(key_size);
    MITRAL_TRY(const auto recipient, wrapping_public_key(key));
    auto opened_with = message_key(key, ephemeral, ephemeral, recipient);
    if (!opened_with)
        return refused();
    MITRAL_TRY(auto cipher, base::Aes256Gcm::create(opened_with->view()));
    base::Bytes plain;
    if (!cipher.open({}, recipient, blob.subspan(key_size), plain))
        return refused();
    base::Secret secret{base::ByteView(plain)};
    base::wipe(plain);
    return secret;
}

}  // namespace mitral::vault::software
