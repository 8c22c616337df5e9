// HL7 times (v2.6 §2.A.22, DTM and TS): YYYY[MM[DD[HH[MM[SS[.S[S[S[S]]]]]]]]][+/-ZZZZ]. No I/O.
#pragma once

#include <optional>
#include <string_view>

#include "base/clock.hpp"

namespace mitral::intake::hl7 {

struct Timestamp {
    base::WallTime if_utc;        // the digits read as UTC, to the millisecond
    std::optional<int> zone_min;  // minutes east of Greenwich, when the sender gave it

    // The instant, given the zone of senders that do not say theirs.
    [[nodiscard]] base::WallTime at_zone(int fallback_zone_min) const noexcept {
        return {if_utc.ms - std::int64_t{zone_min.value_or(fallback_zone_min)} * 60'000};
    }
};

// nullopt: not a time, or not precise to the second, which no reading is dated by.
[[nodiscard]] std::optional<Timestamp> parse_timestamp(std::string_view text) noexcept;

}  // namespace mitral::intake::hl7
