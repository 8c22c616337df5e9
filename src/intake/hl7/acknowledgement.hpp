// The answer to a message (HL7 v2.6 §2.9): original mode says AA, AE, AR; enhanced mode says with
// MSH-15 and MSH-16 which answers the sender wants. No I/O.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "intake/hl7/message.hpp"

namespace mitral::intake::hl7 {

enum class Verdict : std::uint8_t {
    accepted,  // durable on disk (AA, CA)
    later,     // not stored: send it again after a while (AE, CE)
    never,     // not stored, and will not be (AR, CR)
};

// The frame of the answer; nullopt: the sender wants none for this verdict. `reason` is ours, in
// plain ASCII, and empty for `accepted`. The control id is given back byte for byte.
[[nodiscard]] std::optional<std::string> acknowledge(const Segment& header, Verdict verdict,
                                                     std::string_view reason, base::WallTime now,
                                                     std::string_view own_control_id);

}  // namespace mitral::intake::hl7
