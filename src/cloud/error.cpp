#include "cloud/error.hpp"

#include "base/result.hpp"

namespace mitral::cloud {
namespace {

const char* describe(CloudError error) {
    switch (error) {
        case CloudError::malformed_packet:
            return "malformed packet";
        case CloudError::protocol_violation:
            return "protocol violation";
        case CloudError::too_large:
            return "too large";
        case CloudError::not_authorised:
            return "not authorised";
        case CloudError::not_found:
            return "not found";
        case CloudError::already_exists:
            return "already exists";
        case CloudError::stale_etag:
            return "etag does not match";
        case CloudError::invalid_argument:
            return "invalid argument";
        case CloudError::throttled:
            return "throttled";
        case CloudError::storage:
            return "storage failed";
        case CloudError::certificate:
            return "certificate cannot be made or used";
        case CloudError::not_online:
            return "not online";
        case CloudError::timed_out:
            return "timed out";
        case CloudError::queue_full:
            return "queue is full";
        case CloudError::not_supported:
            return "not supported";
    }
    return "unknown";
}

}  // namespace

const std::error_category& cloud_category() noexcept {
    static const base::RoomCategory<CloudError> category("cloud", describe);
    return category;
}

}  // namespace mitral::cloud
