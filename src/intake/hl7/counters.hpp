#pragma once

#include <cstdint>

#include "intake/store/counters.hpp"

namespace mitral::intake::hl7 {

// Since the program started. What the status file shows.
struct Counters : StoreCounters {
    std::uint64_t connections = 0;  // taken or dialled
    std::uint64_t rejected = 0;     // peers that are no monitor of ours, and connections cut off
    std::uint64_t messages = 0;     // whatever became of them
    std::uint64_t refused = 0;      // answered AR
    std::uint64_t postponed = 0;    // answered AE
    std::uint64_t unfinished = 0;   // frames without an end
    std::uint64_t junk_bytes = 0;   // outside of frames
};

}  // namespace mitral::intake::hl7
