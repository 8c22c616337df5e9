#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace mitral::cloud::hub {

// How a device or module proves who it is: with a token under one of its keys, a certificate with
// one of its thumbprints, or a certificate under an authority of the hub.
struct Authentication {
    static constexpr std::string_view sas = "sas";
    static constexpr std::string_view self_signed = "selfSigned";
    static constexpr std::string_view authority = "certificateAuthority";

    std::string type{sas};
    std::string primary_key{};  // base64; of type sas alone
    std::string secondary_key{};
    std::string primary_thumbprint{};  // hex, upper case; of type selfSigned alone
    std::string secondary_thumbprint{};

    [[nodiscard]] bool operator==(const Authentication&) const = default;
};

// What is to be stored: values of other types are dropped, missing ones taken from `before` (null:
// none), missing keys made. Fails with invalid_argument.
[[nodiscard]] base::Result<Authentication> completed(Authentication wanted,
                                                     const Authentication* before);

// A symmetric key: 16 to 64 bytes in base64. Fails with invalid_argument.
[[nodiscard]] base::Status check_key(std::string_view key);

// What a client shows. With a token its certificates count for nothing.
struct Credential {
    std::string_view token{};
    std::span<const base::Bytes> certificates{};  // DER, its own first
};

}  // namespace mitral::cloud::hub
