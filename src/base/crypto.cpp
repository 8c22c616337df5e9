#include "base/crypto.hpp"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <openssl/sha.h>

#include <cstdlib>

#include "base/deleter.hpp"
#include "base/errors.hpp"
#include "base/log.hpp"

namespace mitral::base {
namespace {

using Kdf = std::unique_ptr<EVP_KDF, Deleter<EVP_KDF_free>>;
using KdfContext = std::unique_ptr<EVP_KDF_CTX, Deleter<EVP_KDF_CTX_free>>;

std::unexpected<Error> crypto_failure(const char* what) {
    return fail(BaseError::crypto_failure, what);
}

OSSL_PARAM octets(const char* name, ByteView bytes) {
    // OpenSSL takes a mutable pointer and reads from it only.
    return OSSL_PARAM_construct_octet_string(name, const_cast<std::uint8_t*>(bytes.data()),
                                             bytes.size());
}

}  // namespace

Sha256Digest sha256(ByteView data) {
    Sha256Digest digest{};
    SHA256(data.data(), data.size(), digest.data());
    return digest;
}

Sha512Digest sha512(ByteView data) {
    Sha512Digest digest{};
    SHA512(data.data(), data.size(), digest.data());
    return digest;
}

Sha256Digest hmac_sha256(ByteView key, ByteView data) {
    Sha256Digest digest{};
    unsigned size = digest.size();
    const std::uint8_t none = 0;  // HMAC() takes a null key for "keep the former one"
    if (HMAC(EVP_sha256(), key.empty() ? &none : key.data(), static_cast<int>(key.size()),
             data.data(), data.size(), digest.data(), &size) == nullptr)
        std::abort();
    return digest;
}

void fill_random(MutableByteView out) {
    if (RAND_bytes(out.data(), static_cast<int>(out.size())) != 1) {
        log(Severity::critical, "no-randomness");
        std::abort();
    }
}

std::uint64_t random_u64() {
    std::uint64_t value = 0;
    fill_random({reinterpret_cast<std::uint8_t*>(&value), sizeof value});
    return value;
}

Result<Secret> hkdf_sha256(ByteView secret, ByteView salt, ByteView info, std::size_t size) {
    const Kdf kdf(EVP_KDF_fetch(nullptr, "HKDF", nullptr));
    const KdfContext context(kdf ? EVP_KDF_CTX_new(kdf.get()) : nullptr);
    if (!context)
        return crypto_failure("HKDF is not available");
    char digest[] = "SHA256";
    const OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
        octets(OSSL_KDF_PARAM_KEY, secret), octets(OSSL_KDF_PARAM_SALT, salt),
        octets(OSSL_KDF_PARAM_INFO, info), OSSL_PARAM_construct_end()};
    Secret out(size);
    if (EVP_KDF_derive(context.get(), out.bytes().data(), size, parameters) != 1)
        return crypto_failure("HKDF");
    return out;
}

}  // namespace mitral::base
