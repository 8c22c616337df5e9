// Whom a TLS context believes. Inside the room only: it knows OpenSSL.
#pragma once

#include <openssl/ssl.h>

#include <string>
#include <vector>

#include "base/result.hpp"

namespace mitral::net {

[[nodiscard]] base::Status add_root_file(SSL_CTX* context, const std::string& file);
[[nodiscard]] base::Status add_root_text(SSL_CTX* context, const std::string& pem);
// No handshake ends without a client certificate that one of these authorities issued.
[[nodiscard]] base::Status require_client_certificate(SSL_CTX* context,
                                                      const std::vector<std::string>& root_files);

}  // namespace mitral::net
