#include "vault/software/wrapping.hpp"

#include "base/crypto.hpp"
#include "vault/errors.hpp"
#include "vault/x25519.hpp"

namespace mitral::vault::software {
namespace {

constexpr std::size_t key_size = 32;
constexpr std::size_t max_secret = 64;
constexpr std::string_view domain = "mitral wrap 1";

auto refused() {
    return base::fail(VaultError::key_refused, "wrapped key does not open here");
}

base::Result<base::Secret> message_key(const base::Secret& own, base::ByteView peer,
                                       base::ByteView ephemeral, base::ByteView recipient) {
    MITRAL_TRY(const auto shared, x25519_agree(own, peer));
    base::ByteWriter salt;
    salt.raw(ephemeral).raw(recipient);
    return base::hkdf_sha256(shared.view(), salt.bytes(), base::as_bytes(domain), key_size);
}

}  // namespace

base::Secret new_wrapping_key() {
    return new_x25519_key();
}

base::Result<WrapPublicKey> wrapping_public_key(const base::Secret& key) {
    return x25519_public_key(key);
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
