#include "azure/errors.hpp"

namespace mitral::azure {
namespace {

const char* describe(AzureError error) {
    switch (error) {
        case AzureError::invalid_name:
            return "invalid name";
        case AzureError::invalid_lifetime:
            return "invalid token lifetime";
        case AzureError::malformed_token:
            return "malformed token";
        case AzureError::wrong_signature:
            return "wrong token signature";
        case AzureError::token_expired:
            return "token expired";
        case AzureError::not_authorised:
            return "token is for another resource";
        case AzureError::malformed_topic:
            return "malformed topic";
        case AzureError::malformed_answer:
            return "malformed answer";
        case AzureError::too_large:
            return "too large";
    }
    return "unknown";
}

}  // namespace

const std::error_category& azure_category() noexcept {
    static const base::RoomCategory<AzureError> category("azure", describe);
    return category;
}

}  // namespace mitral::azure
