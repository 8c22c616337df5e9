// What clients show of themselves, judged: thumbprints, dates, names and chains (RFC 5280). That a
// client holds the key of its certificate was proved in the handshake.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"

namespace mitral::cloud::tls {

inline constexpr std::size_t max_certificate = 64 * 1024;  // bytes of one, as PEM or base64

// Of a certificate that an administrator hands in.
struct CertificateFacts {
    std::string pem{};  // this certificate alone
    std::string subject{};
    std::string issuer{};
    std::string serial{};  // hex
    std::string sha1{};    // hex, upper case
    std::string sha256{};
    base::WallTime not_before{};
    base::WallTime not_after{};
    bool is_authority = false;  // may sign certificates
};
// The first certificate of a PEM text, or the base64 of a DER one. Fails with invalid_argument.
[[nodiscard]] base::Result<CertificateFacts> read_certificate(std::string_view text);

// Hex, upper case. Empty for what is no certificate.
[[nodiscard]] std::string sha256_thumbprint(base::ByteView certificate);

// Functions below take DER and fail with not_authorised.

// `thumbprint`: SHA-1 or SHA-256 in hex of either case; an empty one matches nothing.
[[nodiscard]] bool has_thumbprint(base::ByteView certificate, std::string_view thumbprint);
[[nodiscard]] base::Status check_dates(base::ByteView certificate, base::WallTime now);
// The subject's only common name.
[[nodiscard]] base::Result<std::string> common_name(base::ByteView certificate);
// `chain`: the client's certificate, then what it sent beside it. Signatures, dates and the rights
// of every issuer up to one of `authorities` (PEM), which may itself be below another. Keys below
// RSA 2048 and SHA-1 signatures are refused. Returns how many steps above the client's certificate
// the authority stands: 1 when it signed that itself.
[[nodiscard]] base::Result<int> check_chain(std::span<const base::Bytes> chain,
                                            const std::vector<std::string>& authorities,
                                            base::WallTime now);

}  // namespace mitral::cloud::tls
