#pragma once

#include <expected>
#include <string>

namespace mitral::intake {

// Why something is not taken, in words for the person at the other end. One line of ASCII that
// names the place and the rule. It may quote a key, a code or a unit (escaped and cut), never a
// value, an id or a time: replies and logs hold no data of patients.
struct Refusal {
    std::string reason;
};

using Acceptance = std::expected<void, Refusal>;

}  // namespace mitral::intake
