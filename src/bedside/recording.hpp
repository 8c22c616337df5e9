// The recordings of tests/data: numbers once a minute, waveforms at 250 Hz.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "bedside/parameters.hpp"

namespace mitral::bedside {

struct Measurement {
    const Parameter* parameter = nullptr;
    std::string text;      // digit for digit as recorded
    bool measured = true;  // false: the recording has 0, which is no vital sign
};
using Minute = std::vector<Measurement>;  // cells of the recording that are not empty

struct Recording {
    static constexpr std::size_t max_file = 64 * 1024 * 1024;  // bytes

    std::vector<Minute> minutes;                      // none is empty
    std::vector<std::vector<std::int32_t>> channels;  // one per waves(), all of one length

    // Reads icu-numerics.csv and icu-waves-250hz.csv.
    [[nodiscard]] static base::Result<Recording> read(const std::string& directory);
};

}  // namespace mitral::bedside
