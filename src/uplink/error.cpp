#include "uplink/error.hpp"

namespace mitral::uplink {
namespace {

const char* describe(UplinkError error) {
    switch (error) {
        case UplinkError::protocol_violation:
            return "the hub broke the protocol";
        case UplinkError::refused_by_hub:
            return "the hub refused the connection";
        case UplinkError::no_answer:
            return "the hub did not answer in time";
        case UplinkError::link_closed:
            return "the hub closed the connection";
        case UplinkError::too_large:
            return "the message is too large";
        case UplinkError::malformed_assignment:
            return "the assignment cannot be used";
    }
    return "unknown uplink error";
}

}  // namespace

const std::error_category& uplink_category() noexcept {
    static const base::RoomCategory<UplinkError> category("uplink", describe);
    return category;
}

}  // namespace mitral::uplink
