// What of a capture is understood, row by row, for a person who has the capture at hand
// (mitral-intake-hl7 --explain). The only place that shows text of a message; nothing in the
// gateway calls it.
#pragma once

#include <cstdio>
#include <string_view>

#include "intake/hl7/interpreter.hpp"

namespace mitral::intake::hl7 {

// `capture`: messages, in MLLP frames or plain, one after the other. Writes a line for each message
// and for each OBX: code, value or absence, unit and time, or why not, with OBX-3 and OBX-6.
// Returns how many messages it found.
std::size_t explain(std::string_view capture, const Sender& sender, std::FILE* out);

}  // namespace mitral::intake::hl7
