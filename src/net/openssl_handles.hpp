// Owners of OpenSSL's objects. Inside the room only.
#pragma once

#include <openssl/bio.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <memory>

#include "base/deleter.hpp"

namespace mitral::net {

using Context = std::unique_ptr<SSL_CTX, base::Deleter<SSL_CTX_free>>;
using Connection = std::unique_ptr<SSL, base::Deleter<SSL_free>>;
using Certificate = std::unique_ptr<X509, base::Deleter<X509_free>>;
using Bio = std::unique_ptr<BIO, base::Deleter<BIO_free_all>>;
using AlternativeNames = std::unique_ptr<GENERAL_NAMES, base::Deleter<GENERAL_NAMES_free>>;

}  // namespace mitral::net
