#include "enrol/curl_errors.hpp"

#include <fmt/format.h>

#include <system_error>

#include "azure/text.hpp"
#include "base/errors.hpp"
#include "net/certificate_verdict.hpp"

namespace mitral::enrol {
namespace {

using net::NetError;

// libcurl compares the name itself and says so in words only.
NetError certificate_verdict(const CurlFailure& failure) {
    if (failure.detail.find("subject name") != std::string_view::npos)
        return NetError::name_mismatch;
    return net::certificate_verdict(failure.verify_result);
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
    // Reset, or closed without a word: a network or a service in trouble, worth another try.
    for (const std::string_view words :
         {"Connection reset", "Broken pipe", "SSL_ERROR_SYSCALL", "unexpected eof"}) {
        if (detail.find(words) != std::string_view::npos)
            return NetError::connection_lost;
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
