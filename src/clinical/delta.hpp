// Waveform samples as zigzag varints of the first sample and then of the differences: 1.0 to 1.4
// bytes a sample for an ECG. A varint is LEB128: seven bits a byte, low bits first, the top bit
// says "more".
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/bytes.hpp"

namespace mitral::clinical {

constexpr std::size_t max_delta_size = 5;  // bytes for one sample: a difference has 33 bits

void append_deltas(std::span<const std::int32_t> samples, base::Bytes& out);

// Appends exactly `count` samples and returns true, or false when the bytes are not what
// append_deltas() writes for that many samples. `count` is the caller's to bound.
[[nodiscard]] bool decode_deltas(base::ByteView bytes, std::size_t count,
                                 std::vector<std::int32_t>& samples);

}  // namespace mitral::clinical
