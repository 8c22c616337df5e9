#include "base/errors.hpp"

namespace mitral::base {
namespace {

const char* describe(BaseError error) {
    switch (error) {
        case BaseError::malformed:
            return "malformed";
        case BaseError::too_large:
            return "too large";
        case BaseError::invalid_setting:
            return "invalid setting";
        case BaseError::crypto_failure:
            return "cryptographic operation failed";
        case BaseError::not_authentic:
            return "not authentic";
        case BaseError::peer_closed:
            return "closed by the other side";
        case BaseError::timed_out:
            return "timed out";
        case BaseError::not_supported:
            return "not supported on this machine";
    }
    return "unknown";
}

}  // namespace

const std::error_category& base_category() noexcept {
    static const RoomCategory<BaseError> category("base", describe);
    return category;
}

}  // namespace mitral::base
