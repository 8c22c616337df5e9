#pragma once

#include <expected>
#include <string>

namespace mitral::intake {

// Why a line is not taken, in words for the person who writes the adapter. One line of ASCII that
// names the place and the rule. It may quote a key, a code or a unit (escaped and cut), never a
// value, an id or a time: replies and logs hold no data of patients.
struct Refusal {
    std::string reason;
};

using Acceptance = std::expected<void, Refusal>;

}  // namespace mitral::intake
