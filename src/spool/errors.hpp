#pragma once

#include <system_error>
#include <type_traits>

#include "base/result.hpp"

namespace mitral::spool {

enum class SpoolError {
    damaged = 1,   // a checksum or a structure on disk does not hold
    tampered,      // a record does not authenticate, or numbers went backwards
    full,          // the bound is reached and policy allows nothing more to go
    too_large,     // a record beyond Writer::max_record_size
    key_refused,   // the key issuer's answer cannot be used
    write_failed,  // the disk refused; none of the group is acknowledged
    in_use,        // another writer holds the directory
    holding_off,   // too soon after repeated failures
    key_void,      // nobody can open the segment's key any more (a wipe, another TPM): final
    // What a branched reader read is gone, or was put back to an older state.
    lane_replaced,
};

[[nodiscard]] const std::error_category& spool_category() noexcept;
[[nodiscard]] inline std::error_code make_error_code(SpoolError error) noexcept {
    return {static_cast<int>(error), spool_category()};
}

}  // namespace mitral::spool

template <>
struct std::is_error_code_enum<mitral::spool::SpoolError> : std::true_type {};
