#include "spool/errors.hpp"

namespace mitral::spool {
namespace {

const char* describe(SpoolError error) {
    switch (error) {
        case SpoolError::damaged:
            return "damaged on disk";
        case SpoolError::tampered:
            return "tampered with";
        case SpoolError::full:
            return "spool is full";
        case SpoolError::too_large:
            return "record too large";
        case SpoolError::key_refused:
            return "segment key cannot be used";
        case SpoolError::write_failed:
            return "write failed";
        case SpoolError::in_use:
            return "in use by another writer";
        case SpoolError::holding_off:
            return "waiting after repeated failures";
        case SpoolError::key_void:
            return "segment key is void";
        case SpoolError::lane_replaced:
            return "another lane stands in its place";
    }
    return "unknown";
}

}  // namespace

const std::error_category& spool_category() noexcept {
    static const base::RoomCategory<SpoolError> category("spool", describe);
    return category;
}

}  // namespace mitral::spool
