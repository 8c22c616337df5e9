#include "spool/lane.hpp"

namespace mitral::spool {

std::string_view to_string(Lane lane) noexcept {
    switch (lane) {
        case Lane::alerts:
            return "alerts";
        case Lane::vitals:
            return "vitals";
        case Lane::waves:
            return "waves";
    }
    return "unknown";
}

}  // namespace mitral::spool
