#include "cloud/adu/rsa_key.hpp"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <algorithm>

#include "base/crypto.hpp"
#include "base/deleter.hpp"
#include "base/encoding.hpp"
#include "base/file.hpp"
#include "cloud/error.hpp"

namespace mitral::cloud::adu {
namespace {

constexpr std::size_t max_pem = 64 * 1024;

using Key = std::unique_ptr<EVP_PKEY, base::Deleter<EVP_PKEY_free>>;
using Bio = std::unique_ptr<BIO, base::Deleter<BIO_free_all>>;
using Context = std::unique_ptr<EVP_MD_CTX, base::Deleter<EVP_MD_CTX_free>>;
using Number = std::unique_ptr<BIGNUM, base::Deleter<BN_free>>;

auto failed(const std::string& doing) {
    ERR_clear_error();
    return base::fail(CloudError::certificate, doing);
}

}  // namespace

struct RsaKey::State {
    Key key;
};

RsaKey::RsaKey(std::unique_ptr<State> state) : state_(std::move(state)) {}
RsaKey::RsaKey(RsaKey&&) noexcept = default;
RsaKey& RsaKey::operator=(RsaKey&&) noexcept = default;
RsaKey::~RsaKey() = default;

base::Result<RsaKey> RsaKey::generate() {
    Key key(EVP_RSA_gen(bits));
    if (!key)
        return failed("make an RSA key");
    return RsaKey(std::make_unique<State>(State{std::move(key)}));
}

base::Result<RsaKey> RsaKey::load(const std::string& path) {
    MITRAL_TRY(const auto pem, base::read_secret_file(path, max_pem));
    const auto bytes = pem.view();
    const Bio bio(BIO_new_mem_buf(bytes.data(), static_cast<int>(bytes.size())));
    Key key(bio ? PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr) : nullptr);
    if (!key || EVP_PKEY_get_base_id(key.get()) != EVP_PKEY_RSA)
        return failed(path + " holds no RSA key");
    return RsaKey(std::make_unique<State>(State{std::move(key)}));
}

base::Status RsaKey::save(const std::string& path) const {
    const Bio bio(BIO_new(BIO_s_secmem()));
    if (!bio || PEM_write_bio_PrivateKey(bio.get(), state_->key.get(), nullptr, nullptr, 0, nullptr,
                                         nullptr) != 1)
        return failed("write an RSA key");
    char* text = nullptr;
    const auto size = BIO_get_mem_data(bio.get(), &text);
    return base::replace_file(path, base::as_bytes({text, static_cast<std::size_t>(size)}), 0600);
}

base::Result<base::Bytes> RsaKey::sign(base::ByteView message) const {
    const Context context(EVP_MD_CTX_new());
    std::size_t size = 0;
    if (!context ||
        EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, state_->key.get()) != 1 ||
        EVP_DigestSign(context.get(), nullptr, &size, message.data(), message.size()) != 1)
        return failed("sign with RSA");
    base::Bytes signature(size);
    if (EVP_DigestSign(context.get(), signature.data(), &size, message.data(), message.size()) != 1)
        return failed("sign with RSA");
    signature.resize(size);
    return signature;
}

base::Result<std::string> RsaKey::modulus() const {
    BIGNUM* raw = nullptr;
    if (EVP_PKEY_get_bn_param(state_->key.get(), OSSL_PKEY_PARAM_RSA_N, &raw) != 1)
        return failed("read a modulus");
    const Number number(raw);
    base::Bytes bytes(static_cast<std::size_t>(BN_num_bytes(number.get())));
    BN_bn2bin(number.get(), bytes.data());
    return to_base64url(bytes);
}

base::Result<std::string> RsaKey::public_hash() const {
    unsigned char* der = nullptr;
    const int size = i2d_PUBKEY(state_->key.get(), &der);
    if (size <= 0)
        return failed("encode a public key");
    const auto digest = base::sha256({der, static_cast<std::size_t>(size)});
    OPENSSL_free(der);
    return to_base64url(digest);
}

std::string to_base64url(base::ByteView bytes) {
    auto text = base::to_base64(bytes);
    std::replace(text.begin(), text.end(), '+', '-');
    std::replace(text.begin(), text.end(), '/', '_');
    text.erase(text.find_last_not_of('=') + 1);
    return text;
}

}  // namespace mitral::cloud::adu
