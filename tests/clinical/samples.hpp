// Readings for the tests of this room and of those that carry them.
#pragma once

#include <cstdint>
#include <random>
#include <string>

#include "clinical/observation.hpp"

namespace mitral::clinical::test {

// Heart rate 62.8 /min and an oximeter that has not measured, of "bed-1".
[[nodiscard]] Reading vitals_reading(std::string control_id, std::int64_t received_ms);
// One ECG block of "bed-1".
[[nodiscard]] Reading wave_reading(std::string control_id, std::int64_t received_ms);
// Any reading that check() accepts; the bounds come up often.
[[nodiscard]] Reading random_reading(std::mt19937_64& random);

}  // namespace mitral::clinical::test
