#pragma once

#include <cstdint>

#include "intake/store/counters.hpp"

namespace mitral::intake {

// Since the program started. What the status file shows.
struct Counters : StoreCounters {
    std::uint64_t connections = 0;  // taken
    std::uint64_t rejected = 0;     // connections beyond the limit, with a bad header, or cut off
    std::uint64_t lines = 0;        // reading lines, whatever became of them
    std::uint64_t refused = 0;      // answered `no`
    std::uint64_t postponed = 0;    // answered `later`
    std::uint64_t unknown_codes = 0;
};

}  // namespace mitral::intake
