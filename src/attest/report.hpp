// What a checkpoint says of log and lanes besides the trust zone's own state: the normal world's
// word, which the zone signs to have been given (docs/formats/evidence.md).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "base/crypto.hpp"

namespace mitral::attest {

struct LaneReport {
    std::string name;          // "lines/vitals": ≤ 32 of a-z 0-9 - /
    std::uint64_t stream = 0;  // of the lane: a lane that is made anew has another
    std::uint64_t first = 0;   // sequence numbers first … end - 1
    std::uint64_t end = 0;
    base::Sha256Digest hash{};  // over what lies in them
    std::uint64_t gaps = 0;     // records that are accounted for and not delivered

    bool operator==(const LaneReport&) const = default;
};

struct Report {
    std::uint64_t log_entries = 0;  // 0: there is no security log; the head is zeros then
    base::Sha256Digest log_head{};
    std::vector<LaneReport> lanes;  // names rise; at most 16

    bool operator==(const Report&) const = default;
};

// Whether it is a report that a trust zone takes shows there.
[[nodiscard]] base::Bytes encode(const Report& report);

}  // namespace mitral::attest
