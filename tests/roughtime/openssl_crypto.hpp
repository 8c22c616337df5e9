// The primitives of the client over OpenSSL.
#pragma once

#include <algorithm>

#include "base/crypto.hpp"
#include "roughtime/answer.h"

namespace mitral::test {

inline roughtime_crypto openssl_crypto() {
    return {nullptr,
            [](const void*, const std::uint8_t* data, std::size_t size, std::uint8_t* out) {
                const auto digest = base::sha512({data, size});
                std::copy(digest.begin(), digest.end(), out);
                return ROUGHTIME_OK;
            },
            [](const void*, const std::uint8_t* key, const std::uint8_t* data, std::size_t size,
               const std::uint8_t* signature) {
                base::Ed25519PublicKey with{};
                std::copy_n(key, with.size(), with.begin());
                return base::ed25519_verify(with, {data, size}, {signature, 64})
                           ? ROUGHTIME_OK
                           : ROUGHTIME_NOT_AUTHENTIC;
            }};
}

}  // namespace mitral::test
