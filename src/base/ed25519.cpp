#include <openssl/evp.h>

#include <cstdlib>

#include "base/crypto.hpp"
#include "base/errors.hpp"

namespace mitral::base {
namespace {

struct KeyDeleter {
    void operator()(EVP_PKEY* key) const noexcept { EVP_PKEY_free(key); }
};
using Key = std::unique_ptr<EVP_PKEY, KeyDeleter>;

struct DigestContextDeleter {
    void operator()(EVP_MD_CTX* context) const noexcept { EVP_MD_CTX_free(context); }
};
using DigestContext = std::unique_ptr<EVP_MD_CTX, DigestContextDeleter>;

constexpr std::size_t key_size = 32;

Result<Key> private_key(const Secret& key) {
    if (key.size() != key_size)
        return fail(BaseError::malformed, "an Ed25519 key has 32 bytes");
    Key loaded(
        EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, key.view().data(), key.size()));
    if (!loaded)
        return fail(BaseError::crypto_failure, "Ed25519 key");
    return loaded;
}

}  // namespace

Secret ed25519_new_key() {
    Secret key(key_size);
    fill_random(key.bytes());
    return key;
}

Result<Ed25519PublicKey> ed25519_public_key(const Secret& key) {
    MITRAL_TRY(const auto loaded, private_key(key));
    Ed25519PublicKey out{};
    std::size_t size = out.size();
    if (EVP_PKEY_get_raw_public_key(loaded.get(), out.data(), &size) != 1)
        return fail(BaseError::crypto_failure, "Ed25519 public key");
    return out;
}

Result<Ed25519Signature> ed25519_sign(const Secret& key, ByteView message) {
    MITRAL_TRY(const auto loaded, private_key(key));
    const DigestContext context(EVP_MD_CTX_new());
    Ed25519Signature out{};
    std::size_t size = out.size();
    if (!context ||
        EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, loaded.get()) != 1 ||
        EVP_DigestSign(context.get(), out.data(), &size, message.data(), message.size()) != 1)
        return fail(BaseError::crypto_failure, "Ed25519 signature");
    return out;
}

Status ed25519_verify(const Ed25519PublicKey& key, ByteView message, ByteView signature) {
    const Key loaded(
        EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, key.data(), key.size()));
    const DigestContext context(EVP_MD_CTX_new());
    if (!loaded || !context ||
        EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, loaded.get()) != 1)
        return fail(BaseError::crypto_failure, "Ed25519 public key");
    if (EVP_DigestVerify(context.get(), signature.data(), signature.size(), message.data(),
                         message.size()) != 1)
        return fail(BaseError::not_authentic, "Ed25519 signature");
    return {};
}

}  // namespace mitral::base
