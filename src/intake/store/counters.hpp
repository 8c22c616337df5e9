#pragma once

#include <cstdint>

namespace mitral::intake {

// What the store counts for every kind of adapter, since the program started.
struct StoreCounters {
    std::uint64_t readings = 0;      // durable
    std::uint64_t observations = 0;  // durable: values, absences and waveforms
    std::uint64_t duplicates = 0;    // confirmed and not stored again
};

}  // namespace mitral::intake
