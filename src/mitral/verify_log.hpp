// The messages of one unit as a consumer of the hub has them: one JSON object a line, as the
// message log of mitral-cloud (docs/local-azure.md). Hostile input.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "verify/delivery.hpp"

namespace mitral::cli {

struct EvidenceMessage {
    base::Bytes checkpoint;  // empty: the body holds none
    std::vector<verify::LaneList> lists;
};

struct LogMessage {
    std::int64_t at_s = 0;  // when the hub took it; 0: not said
    std::string id;
    bool evidence = false;
    base::Bytes body;
};

// Lines of other devices are left out; one that is no message becomes one without anything in it.
[[nodiscard]] std::vector<LogMessage> read_log(std::string_view text, std::string_view device);
[[nodiscard]] EvidenceMessage read_evidence(base::ByteView body);

}  // namespace mitral::cli
