// A coded element (HL7 v2.6 §2.A.7 CE, §2.A.13 CWE): identifier, text and system, and the same once
// more for the alternate. No I/O.
#pragma once

#include <string_view>

#include "intake/hl7/message.hpp"

namespace mitral::intake::hl7 {

// Views of the field's first repetition, without spaces around them; escapes as they stand.
struct Triplets {
    explicit Triplets(const Part& field) noexcept;

    std::string_view id;
    std::string_view text;
    std::string_view system;
    std::string_view other_id;
    std::string_view other_text;
    std::string_view other_system;
};

}  // namespace mitral::intake::hl7
