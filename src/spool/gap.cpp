#include "spool/gap.hpp"

#include "base/errors.hpp"

namespace mitral::spool {
namespace {

constexpr std::uint8_t gap_version = 1;

bool is_lane(std::uint8_t value) {
    return value <= static_cast<std::uint8_t>(Lane::waves);
}

bool is_reason(std::uint8_t value) {
    return value >= static_cast<std::uint8_t>(GapReason::bound_reached) &&
           value <= static_cast<std::uint8_t>(GapReason::key_void);
}

}  // namespace

std::string_view to_string(GapReason reason) noexcept {
    switch (reason) {
        case GapReason::bound_reached:
            return "bound-reached";
        case GapReason::unreadable:
            return "unreadable";
        case GapReason::key_void:
            return "key-void";
    }
    return "unknown";
}

base::Bytes encode(const Gap& gap) {
    base::ByteWriter out;
    out.u8(gap_version)
        .u8(static_cast<std::uint8_t>(gap.lane))
        .u8(static_cast<std::uint8_t>(gap.reason))
        .u64(gap.first_sequence)
        .u64(gap.last_sequence)
        .u64(static_cast<std::uint64_t>(gap.first_written.ms))
        .u64(static_cast<std::uint64_t>(gap.last_written.ms));
    return std::move(out).bytes();
}

base::Result<Gap> decode_gap(base::ByteView payload) {
    const auto malformed = [] { return base::fail(base::BaseError::malformed, "gap record"); };
    base::ByteReader in(payload);
    const auto version = in.u8();
    const auto lane = in.u8();
    const auto reason = in.u8();
    const auto first = in.u64();
    const auto last = in.u64();
    const auto first_written = in.u64();
    const auto last_written = in.u64();
    if (!last_written || !in.done() || *version != gap_version || !is_lane(*lane) ||
        !is_reason(*reason) || *first == 0 || *first > *last)
        return malformed();
    return Gap{static_cast<Lane>(*lane),
               *first,
               *last,
               base::WallTime{static_cast<std::int64_t>(*first_written)},
               base::WallTime{static_cast<std::int64_t>(*last_written)},
               static_cast<GapReason>(*reason)};
}

}  // namespace mitral::spool
