#include "net/error.hpp"

#include "base/result.hpp"

namespace mitral::net {
namespace {

const char* describe(NetError error) {
    switch (error) {
        case NetError::name_not_resolved:
            return "host name not resolved";
        case NetError::unreachable:
            return "host not reachable";
        case NetError::proxy_refused:
            return "refused by the proxy";
        case NetError::trust_store:
            return "pinned roots cannot be used";
        case NetError::untrusted_issuer:
            return "certificate does not chain to a pinned root";
        case NetError::self_signed:
            return "self-signed certificate";
        case NetError::name_mismatch:
            return "certificate is for another name";
        case NetError::certificate_expired:
            return "certificate has expired";
        case NetError::certificate_not_yet_valid:
            return "certificate is not valid yet";
        case NetError::certificate_invalid:
            return "certificate is not acceptable";
        case NetError::no_certificate:
            return "no client certificate was shown";
        case NetError::protocol_version:
            return "no acceptable TLS version";
        case NetError::no_shared_cipher:
            return "no acceptable cipher suite";
        case NetError::handshake_failed:
            return "TLS handshake failed";
        case NetError::connection_lost:
            return "connection lost";
    }
    return "unknown";
}

}  // namespace

const std::error_category& net_category() noexcept {
    static const base::RoomCategory<NetError> category("net", describe);
    return category;
}

}  // namespace mitral::net
