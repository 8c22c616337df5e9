#include "enrol/errors.hpp"

#include "base/errors.hpp"
#include "net/error.hpp"

namespace mitral::enrol {
namespace {

const char* describe(EnrolError error) {
    switch (error) {
        case EnrolError::not_provisioned:
            return "this unit cannot register";
        case EnrolError::unauthorised:
            return "DPS refuses this unit's token";
        case EnrolError::unknown_scope:
            return "DPS does not know this unit";
        case EnrolError::disabled:
            return "the enrolment is disabled";
        case EnrolError::failed:
            return "DPS could not assign a hub";
        case EnrolError::redirected:
            return "the server redirects, which DPS never does";
        case EnrolError::unexpected_status:
            return "unexpected HTTP status";
        case EnrolError::malformed_answer:
            return "malformed answer from DPS";
        case EnrolError::foreign_hub:
            return "DPS assigned a hub this unit may not talk to";
        case EnrolError::foreign_identity:
            return "DPS answered for another device";
        case EnrolError::unsupported_profile:
            return "the assigned hub speaks another protocol generation";
        case EnrolError::throttled:
            return "DPS is throttling";
        case EnrolError::service_unavailable:
            return "DPS is unavailable";
        case EnrolError::out_of_time:
            return "gave up";
    }
    return "unknown";
}

}  // namespace

const std::error_category& enrol_category() noexcept {
    static const base::RoomCategory<EnrolError> category("enrol", describe);
    return category;
}

bool is_temporary(const std::error_code& code) noexcept {
    for (const std::error_code& temporary :
         {make_error_code(EnrolError::throttled), make_error_code(EnrolError::service_unavailable),
          make_error_code(EnrolError::out_of_time),
          net::make_error_code(net::NetError::name_not_resolved),
          net::make_error_code(net::NetError::unreachable),
          net::make_error_code(net::NetError::proxy_refused),
          net::make_error_code(net::NetError::connection_lost),
          base::make_error_code(base::BaseError::timed_out)}) {
        if (code == temporary)
            return true;
    }
    return false;
}

}  // namespace mitral::enrol
