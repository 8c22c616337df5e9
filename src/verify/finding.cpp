#include "verify/judge.hpp"

namespace mitral::verify {

std::string_view to_string(Kind kind) noexcept {
    switch (kind) {
        case Kind::malformed:
            return "malformed";
        case Kind::not_authentic:
            return "not-authentic";
        case Kind::replayed:
            return "replayed";
        case Kind::rolled_back:
            return "rolled-back";
        case Kind::cloned:
            return "cloned";
        case Kind::undecided:
            return "undecided";
        case Kind::doubtful:
            return "doubtful";
        case Kind::identity_changed:
            return "identity-changed";
        case Kind::lane_shrank:
            return "lane-shrank";
        case Kind::lane_altered:
            return "lane-altered";
        case Kind::lane_missing:
            return "lane-missing";
        case Kind::lane_replaced:
            return "lane-replaced";
        case Kind::too_many_lanes:
            return "too-many-lanes";
        case Kind::lane_unproven:
            return "lane-unproven";
        case Kind::log_suppressed:
            return "log-suppressed";
        case Kind::log_altered:
            return "log-altered";
        case Kind::silent:
            return "silent";
        case Kind::late:
            return "late";
        case Kind::undated:
            return "undated";
        case Kind::list_altered:
            return "list-altered";
        case Kind::message_missing:
            return "message-missing";
        case Kind::message_altered:
            return "message-altered";
    }
    return "unknown";
}

std::string line_of(const Finding& finding) {
    return std::string(to_string(finding.kind)) + ": " + finding.cause + ": " + finding.remedy;
}

}  // namespace mitral::verify
