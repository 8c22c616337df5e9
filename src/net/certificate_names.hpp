// The names a certificate is for. Inside the room only: it knows OpenSSL.
#pragma once

#include <openssl/x509.h>

#include <string>
#include <vector>

namespace mitral::net {

// The DNS names among its alternative names; its common name where it has no such. A name with
// anything but visible ASCII in it, a NUL above all, is left out: it would be read differently by
// others.
[[nodiscard]] std::vector<std::string> certificate_names(X509* certificate);

}  // namespace mitral::net
