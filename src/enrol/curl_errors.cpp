#include "enrol/curl_errors.hpp"

#include <fmt/format.h>
#include <openssl/x509_vfy.h>

#include <system_error>

#include "azure/text.hpp"
#include "base/errors.hpp"

namespace mitral::enrol {
namespace {

using net::NetError;

// libcurl compares the name itself and says so in words only.
NetError certificate_verdict(const CurlFailure& failure) {
    if (failure.detail.find("subject name") != std::string_view::npos)
        return NetError::name_mismatch;
    switch (failure.verify_result) {
        case X509_V_ERR_HOSTNAME_MISMATCH:
        case X509_V_ERR_IP_ADDRESS_MISMATCH:
            return NetError::name_mismatch;
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
            return NetError::untrusted_issuer;
        default:
            return NetError::certificate_invalid;
    }
}

// libcurl gives one code for every failed handshake; OpenSSL's words tell them apart.
NetError handshake_verdict(std::string_view detail) {
    for (const std::string_view words :
         {"unsupported protocol", "wrong version", "protocol version"}) {
        if (detail.find(words) != std::string_view::npos)
            return NetError::protocol_version;
    }
    for (const std::string_view words : {"handshake failure", "no shared cipher", "no ciphers"}) {
        if (detail.find(words) != std::string_view::npos)
            return NetError::no_shared_cipher;
    }
    return NetError::handshake_failed;
}

std::error_code code_of(const CurlFailure& failure) {
    switch (failure.code) {
        case CURLE_COULDNT_RESOLVE_HOST:
        case CURLE_COULDNT_RESOLVE_PROXY:
            return NetError::name_not_resolved;
        case CURLE_COULDNT_CONNECT:
            return NetError::unreachable;
        case CURLE_OPERATION_TIMEDOUT:
            return base::BaseError::timed_out;
        case CURLE_PEER_FAILED_VERIFICATION:
            return certificate_verdict(failure);
        case CURLE_SSL_CONNECT_ERROR:
            return handshake_verdict(failure.detail);
        case CURLE_SSL_CACERT_BADFILE:
            return NetError::trust_store;
        case CURLE_PROXY:
            return NetError::proxy_refused;
        // Before TLS begins, only the proxy has sent anything.
        case CURLE_RECV_ERROR:
        case CURLE_SEND_ERROR:
        case CURLE_GOT_NOTHING:
        case CURLE_PARTIAL_FILE:
            return failure.through_proxy && failure.detail.find("CONNECT") != std::string_view::npos
                       ? NetError::proxy_refused
                       : NetError::connection_lost;
        case CURLE_WEIRD_SERVER_REPLY:
        case CURLE_UNSUPPORTED_PROTOCOL:
        case CURLE_HTTP2:
            return base::BaseError::malformed;
        default:
            return NetError::connection_lost;
    }
}

}  // namespace

std::unexpected<base::Error> curl_failure(const CurlFailure& failure, const net::Endpoint& server) {
    const auto detail = failure.detail.empty() ? std::string_view(curl_easy_strerror(failure.code))
                                               : failure.detail;
    return base::fail(code_of(failure),
                      fmt::format("{}:{} ({})", server.host, server.port, azure::shown(detail)));
}

}  // namespace mitral::enrol
