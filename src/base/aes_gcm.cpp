// Aes256Gcm of crypto.hpp.
#include <openssl/evp.h>

#include <algorithm>
#include <climits>

#include "base/crypto.hpp"
#include "base/errors.hpp"

namespace mitral::base {
namespace {

struct FreeCipher {
    void operator()(EVP_CIPHER_CTX* context) const noexcept { EVP_CIPHER_CTX_free(context); }
};
using CipherContext = std::unique_ptr<EVP_CIPHER_CTX, FreeCipher>;

std::unexpected<Error> crypto_failure(const char* what) {
    return fail(BaseError::crypto_failure, what);
}

}  // namespace

struct Aes256Gcm::State {
    CipherContext encrypt;
    CipherContext decrypt;
};

Aes256Gcm::Aes256Gcm(std::unique_ptr<State> state) noexcept : state_(std::move(state)) {}
Aes256Gcm::Aes256Gcm(Aes256Gcm&&) noexcept = default;
Aes256Gcm& Aes256Gcm::operator=(Aes256Gcm&&) noexcept = default;
Aes256Gcm::~Aes256Gcm() = default;

Result<Aes256Gcm> Aes256Gcm::create(ByteView key) {
    if (key.size() != key_size)
        return fail(BaseError::malformed, "an AES-256 key has 32 bytes");
    auto state = std::make_unique<State>();
    state->encrypt.reset(EVP_CIPHER_CTX_new());
    state->decrypt.reset(EVP_CIPHER_CTX_new());
    // The key schedule is made once; each record then only sets its nonce.
    if (!state->encrypt || !state->decrypt ||
        EVP_EncryptInit_ex(state->encrypt.get(), EVP_aes_256_gcm(), nullptr, key.data(), nullptr) !=
            1 ||
        EVP_DecryptInit_ex(state->decrypt.get(), EVP_aes_256_gcm(), nullptr, key.data(), nullptr) !=
            1)
        return crypto_failure("AES-256-GCM");
    return Aes256Gcm(std::move(state));
}

Status Aes256Gcm::seal(const Nonce& nonce, ByteView associated, ByteView plain, Bytes& out) {
    EVP_CIPHER_CTX* context = state_->encrypt.get();
    if (plain.size() > INT_MAX || associated.size() > INT_MAX)
        return fail(BaseError::too_large, "AES-GCM input");
    const std::size_t start = out.size();
    out.resize(start + plain.size() + tag_size);
    int moved = 0;
    std::uint8_t* cipher = out.data() + start;
    const bool done =
        EVP_EncryptInit_ex(context, nullptr, nullptr, nullptr, nonce.data()) == 1 &&
        (associated.empty() || EVP_EncryptUpdate(context, nullptr, &moved, associated.data(),
                                                 static_cast<int>(associated.size())) == 1) &&
        (plain.empty() || EVP_EncryptUpdate(context, cipher, &moved, plain.data(),
                                            static_cast<int>(plain.size())) == 1) &&
        EVP_EncryptFinal_ex(context, cipher + plain.size(), &moved) == 1 &&
        EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_GET_TAG, tag_size, cipher + plain.size()) == 1;
    if (!done) {
        out.resize(start);
        return crypto_failure("AES-GCM seal");
    }
    return {};
}

Status Aes256Gcm::open(const Nonce& nonce, ByteView associated, ByteView sealed, Bytes& out) {
    EVP_CIPHER_CTX* context = state_->decrypt.get();
    if (sealed.size() < tag_size || sealed.size() > INT_MAX || associated.size() > INT_MAX)
        return fail(BaseError::malformed, "AES-GCM input");
    const ByteView cipher = sealed.first(sealed.size() - tag_size);
    std::array<std::uint8_t, tag_size> tag{};
    std::copy(sealed.end() - tag_size, sealed.end(), tag.begin());
    out.resize(cipher.size());
    int moved = 0;
    std::uint8_t unused = 0;  // GCM's final step writes nothing, but wants somewhere to write it
    const bool authentic =
        EVP_DecryptInit_ex(context, nullptr, nullptr, nullptr, nonce.data()) == 1 &&
        (associated.empty() || EVP_DecryptUpdate(context, nullptr, &moved, associated.data(),
                                                 static_cast<int>(associated.size())) == 1) &&
        (cipher.empty() || EVP_DecryptUpdate(context, out.data(), &moved, cipher.data(),
                                             static_cast<int>(cipher.size())) == 1) &&
        EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_SET_TAG, tag_size, tag.data()) == 1 &&
        EVP_DecryptFinal_ex(context, &unused, &moved) == 1;
    if (!authentic) {
        wipe(out);  // unauthenticated plaintext must not survive
        out.clear();
        return fail(BaseError::not_authentic, "AES-GCM tag");
    }
    return {};
}

}  // namespace mitral::base
