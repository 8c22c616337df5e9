#include "vault/x25519.hpp"

#include <openssl/evp.h>

#include <memory>

#include "base/crypto.hpp"
#include "vault/errors.hpp"

namespace mitral::vault {
namespace {

constexpr std::size_t key_size = 32;

using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using KeyContext = std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)>;

Key private_key(const base::Secret& key) {
    return {EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, nullptr, key.view().data(), key.size()),
            EVP_PKEY_free};
}

}  // namespace

base::Secret new_x25519_key() {
    base::Secret key(key_size);
    base::fill_random(key.bytes());
    return key;
}

base::Result<X25519PublicKey> x25519_public_key(const base::Secret& key) {
    const Key own = private_key(key);
    X25519PublicKey result{};
    std::size_t size = result.size();
    if (!own || EVP_PKEY_get_raw_public_key(own.get(), result.data(), &size) != 1)
        return base::fail(VaultError::backend_failure, "wrapping key is unusable");
    return result;
}

base::Result<base::Secret> x25519_agree(const base::Secret& own, base::ByteView peer) {
    const auto refused = [] {
        return base::fail(VaultError::key_refused, "wrapped key does not open here");
    };
    const Key key = private_key(own);
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

}  // namespace mitral::vault
