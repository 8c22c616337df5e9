// What a gap record says: which records went, when they were written and why. It travels to the
// cloud as mitral.gap/1 in the place of what is missing.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"
#include "spool/lane.hpp"

namespace mitral::spool {

enum class GapReason : std::uint8_t {
    bound_reached = 1,  // the directory's bound: policy chose these
    unreadable = 2,     // a segment was damaged on disk
    key_void = 3,       // sealed under a key that nobody can open since a wipe
};
[[nodiscard]] std::string_view to_string(GapReason reason) noexcept;

struct Gap {
    Lane lane = Lane::vitals;
    std::uint64_t first_sequence = 0;
    std::uint64_t last_sequence = 0;
    base::WallTime first_written;
    base::WallTime last_written;
    GapReason reason = GapReason::bound_reached;
};

[[nodiscard]] base::Bytes encode(const Gap& gap);
[[nodiscard]] base::Result<Gap> decode_gap(base::ByteView payload);

}  // namespace mitral::spool
