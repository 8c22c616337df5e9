#include "net/tls_errors.hpp"

#include <openssl/err.h>
#include <openssl/x509_vfy.h>

#include <array>

#include "net/certificate_verdict.hpp"
#include "net/error.hpp"

namespace mitral::net {
namespace {

NetError protocol_cause(int reason) {
    switch (reason) {
        case SSL_R_UNSUPPORTED_PROTOCOL:
        case SSL_R_WRONG_SSL_VERSION:
        case SSL_R_WRONG_VERSION_NUMBER:
        case SSL_R_VERSION_TOO_LOW:
        case SSL_R_TLSV1_ALERT_PROTOCOL_VERSION:
            return NetError::protocol_version;
        case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
            return NetError::no_certificate;
        // A server without a suite we accept can only answer with this alert.
        case SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE:
        case SSL_R_NO_SHARED_CIPHER:
        case SSL_R_NO_CIPHERS_AVAILABLE:
        case SSL_R_WRONG_CIPHER_RETURNED:
        case SSL_R_UNKNOWN_CIPHER_RETURNED:
            return NetError::no_shared_cipher;
        default:
            return NetError::handshake_failed;
    }
}

}  // namespace

NetError certificate_verdict(long verdict) noexcept {
    switch (verdict) {
        case X509_V_ERR_CERT_HAS_EXPIRED:
            return NetError::certificate_expired;
        case X509_V_ERR_CERT_NOT_YET_VALID:
            return NetError::certificate_not_yet_valid;
        case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
            return NetError::self_signed;
        case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
        case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
        case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
        case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
        case X509_V_ERR_CERT_SIGNATURE_FAILURE:
            return NetError::untrusted_issuer;
        case X509_V_ERR_HOSTNAME_MISMATCH:
        case X509_V_ERR_IP_ADDRESS_MISMATCH:
            return NetError::name_mismatch;
        default:
            return NetError::certificate_invalid;
    }
}

std::string take_error_text() {
    const unsigned long code = ERR_peek_last_error();
    ERR_clear_error();
    if (code == 0)
        return {};
    std::array<char, 256> text{};
    ERR_error_string_n(code, text.data(), text.size());
    return text.data();
}

std::unexpected<base::Error> library_failure(const std::string& doing, NetError error) {
    return base::fail(error, doing + " (" + take_error_text() + ")");
}

std::unexpected<base::Error> handshake_failure(const SSL* connection, const std::string& peer) {
    const long verdict = SSL_get_verify_result(connection);
    const unsigned long first = ERR_peek_error();
    if (verdict != X509_V_OK) {
        ERR_clear_error();
        return base::fail(certificate_verdict(verdict),
                          peer + " (" + X509_verify_cert_error_string(verdict) + ")");
    }
    const int reason = ERR_GET_REASON(first);
    const bool queued = first != 0;
    std::string text = take_error_text();
    if (!queued)
        return base::fail(NetError::connection_lost, peer + " closed during the TLS handshake");
    return base::fail(protocol_cause(reason), peer + " (" + text + ")");
}

}  // namespace mitral::net
