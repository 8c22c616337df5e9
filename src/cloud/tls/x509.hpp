// Private to cloud/tls: certificates over OpenSSL.
#pragma once

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <memory>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/deleter.hpp"
#include "base/result.hpp"

namespace mitral::cloud::tls {

using Certificate = std::unique_ptr<X509, base::Deleter<X509_free>>;
using Key = std::unique_ptr<EVP_PKEY, base::Deleter<EVP_PKEY_free>>;

struct Identity {
    Certificate certificate;
    Key key;
};

[[nodiscard]] base::Result<Identity> make_authority(const std::string& name, base::WallTime now,
                                                    int days);
[[nodiscard]] base::Result<Identity> make_server(const Identity& authority,
                                                 const std::vector<std::string>& names,
                                                 base::WallTime now, int days);
[[nodiscard]] base::Result<Identity> parse_identity(const std::string& certificate_pem,
                                                    const std::string& key_pem);
[[nodiscard]] base::Result<std::string> to_pem(X509& certificate);
[[nodiscard]] base::Result<std::string> to_pem(EVP_PKEY& key);
[[nodiscard]] bool is_issued_by(X509& certificate, X509& authority);
[[nodiscard]] bool is_valid_until(X509& certificate, std::int64_t unix_seconds);
[[nodiscard]] bool is_for_name(X509& certificate, const std::string& name);  // DNS name or address

}  // namespace mitral::cloud::tls
