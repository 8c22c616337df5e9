// Messages without a connection: for other people's senders, and for tests of other decoders.
#pragma once

#include "base/result.hpp"
#include "bedside/bed_plan.hpp"

namespace mitral::bedside {

// Prints `count` messages of each bed, round after round, one JSON object a line:
//   {"source":…, "control_id": MSH-10, "message": base64 of the unframed text,
//    "rows": [what the book holds once it is acknowledged, without "at"]}
// With `lines`, one message for every line read from standard input instead, until its end.
[[nodiscard]] base::Status emit(const WardPlan& plan, std::uint64_t count, bool lines);

}  // namespace mitral::bedside
