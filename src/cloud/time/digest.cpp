#include "cloud/time/digest.hpp"

#include <openssl/evp.h>
#include <openssl/sha.h>

#include <algorithm>
#include <cstdlib>
#include <memory>

namespace mitral::cloud::time {
namespace {

struct ContextDeleter {
    void operator()(EVP_MD_CTX* context) const noexcept { EVP_MD_CTX_free(context); }
};

}  // namespace

Digest digest(std::initializer_list<base::ByteView> parts) {
    const std::unique_ptr<EVP_MD_CTX, ContextDeleter> context(EVP_MD_CTX_new());
    std::array<std::uint8_t, SHA512_DIGEST_LENGTH> whole{};
    bool done = context && EVP_DigestInit_ex(context.get(), EVP_sha512(), nullptr) == 1;
    for (const auto part : parts)
        done = done && EVP_DigestUpdate(context.get(), part.data(), part.size()) == 1;
    // A library without SHA-512 can sign nothing: there is no answer that would be right.
    if (!done || EVP_DigestFinal_ex(context.get(), whole.data(), nullptr) != 1)
        std::abort();
    Digest half{};
    std::copy_n(whole.begin(), half.size(), half.begin());
    return half;
}

}  // namespace mitral::cloud::time
