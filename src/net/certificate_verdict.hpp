// What a certificate verdict of OpenSSL (X509_verify_cert_error_string(3)) means here: one table
// for every place that judges a handshake.
#pragma once

#include "net/error.hpp"

namespace mitral::net {

[[nodiscard]] NetError certificate_verdict(long verdict) noexcept;

}  // namespace mitral::net
