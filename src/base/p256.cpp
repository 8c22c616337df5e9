#include "base/p256.hpp"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#include <algorithm>

#include "base/deleter.hpp"
#include "base/errors.hpp"

namespace mitral::base {
namespace {

constexpr int number_size = 32;

using Key = std::unique_ptr<EVP_PKEY, Deleter<EVP_PKEY_free>>;
using KeyContext = std::unique_ptr<EVP_PKEY_CTX, Deleter<EVP_PKEY_CTX_free>>;
using Number = std::unique_ptr<BIGNUM, Deleter<BN_clear_free>>;
using Builder = std::unique_ptr<OSSL_PARAM_BLD, Deleter<OSSL_PARAM_BLD_free>>;
using Parameters = std::unique_ptr<OSSL_PARAM, Deleter<OSSL_PARAM_free>>;
using Signature = std::unique_ptr<ECDSA_SIG, Deleter<ECDSA_SIG_free>>;

auto crypto_failed() {
    return fail(BaseError::crypto_failure, "P-256");
}
auto not_authentic() {
    return fail(BaseError::not_authentic, "P-256 signature");
}

// `secret` may be null: the public half alone.
Key load(const P256PublicKey& xy, const Secret* secret) {
    std::array<std::uint8_t, 1 + 2 * number_size> point{4};
    std::copy(xy.begin(), xy.end(), point.begin() + 1);
    const Builder builder(OSSL_PARAM_BLD_new());
    const KeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr));
    Number number;
    if (secret != nullptr)
        number.reset(BN_bin2bn(secret->view().data(), number_size, nullptr));
    if (!builder || !context || (secret != nullptr && !number) ||
        OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, "P-256", 0) !=
            1 ||
        OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(),
                                         point.size()) != 1 ||
        (number &&
         OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_PRIV_KEY, number.get()) != 1))
        return {};
    const Parameters parameters(OSSL_PARAM_BLD_to_param(builder.get()));
    EVP_PKEY* key = nullptr;
    if (parameters && EVP_PKEY_fromdata_init(context.get()) == 1)
        (void)EVP_PKEY_fromdata(context.get(), &key,
                                number ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY, parameters.get());
    return Key(key);
}

// OpenSSL wants DER where the wire has r | s.
Bytes der_of(ByteView raw) {
    const Signature signature(ECDSA_SIG_new());
    BIGNUM* r = BN_bin2bn(raw.data(), number_size, nullptr);
    BIGNUM* s = BN_bin2bn(raw.data() + number_size, number_size, nullptr);
    if (!signature || ECDSA_SIG_set0(signature.get(), r, s) != 1) {
        BN_free(r);
        BN_free(s);
        return {};
    }
    unsigned char* der = nullptr;
    const int size = i2d_ECDSA_SIG(signature.get(), &der);
    Bytes bytes(der, der + std::max(size, 0));
    OPENSSL_free(der);
    return bytes;
}

}  // namespace

Result<P256KeyPair> p256_new_key() {
    const Key key(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256"));
    BIGNUM* number = nullptr;
    std::array<std::uint8_t, 1 + 2 * number_size> point{};
    std::size_t size = 0;
    P256KeyPair pair{Secret(number_size), {}};
    const bool good =
        key && EVP_PKEY_get_bn_param(key.get(), OSSL_PKEY_PARAM_PRIV_KEY, &number) == 1 &&
        BN_bn2binpad(number, pair.secret.bytes().data(), number_size) == number_size &&
        EVP_PKEY_get_octet_string_param(key.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(),
                                        point.size(), &size) == 1 &&
        size == point.size() && point[0] == 4;
    BN_clear_free(number);
    if (!good)
        return crypto_failed();
    std::copy(point.begin() + 1, point.end(), pair.key.begin());
    return pair;
}

Result<P256Signature> p256_sign(const P256KeyPair& pair, const Sha256Digest& digest) {
    if (pair.secret.size() != number_size)
        return fail(BaseError::malformed, "a P-256 key has 32 bytes");
    const Key key = load(pair.key, &pair.secret);
    const KeyContext context(key ? EVP_PKEY_CTX_new(key.get(), nullptr) : nullptr);
    std::array<std::uint8_t, 80> der{};
    std::size_t size = der.size();
    if (!context || EVP_PKEY_sign_init(context.get()) != 1 ||
        EVP_PKEY_sign(context.get(), der.data(), &size, digest.data(), digest.size()) != 1)
        return crypto_failed();
    const unsigned char* at = der.data();
    const Signature parsed(d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(size)));
    P256Signature raw{};
    if (!parsed ||
        BN_bn2binpad(ECDSA_SIG_get0_r(parsed.get()), raw.data(), number_size) != number_size ||
        BN_bn2binpad(ECDSA_SIG_get0_s(parsed.get()), raw.data() + number_size, number_size) !=
            number_size)
        return crypto_failed();
    return raw;
}

Status p256_verify(const P256PublicKey& key, const Sha256Digest& digest, ByteView signature) {
    if (signature.size() != P256Signature{}.size())
        return not_authentic();
    const Key with = load(key, nullptr);
    const auto der = der_of(signature);
    const KeyContext context(with ? EVP_PKEY_CTX_new(with.get(), nullptr) : nullptr);
    if (!context || der.empty() || EVP_PKEY_verify_init(context.get()) != 1 ||
        EVP_PKEY_verify(context.get(), der.data(), der.size(), digest.data(), digest.size()) != 1)
        return not_authentic();
    return {};
}

}  // namespace mitral::base
