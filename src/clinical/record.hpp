// A Reading as it lies in the spool: compact, versioned, strict. The uplink treats it as hostile.
#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "clinical/observation.hpp"

namespace mitral::clinical {

constexpr std::size_t max_observations = 512;      // per reading
constexpr std::size_t max_waveforms = 16;          // per reading
constexpr std::size_t max_samples = 32 * 1024;     // per waveform

void append_record(const Reading& reading, base::Bytes& out);
[[nodiscard]] base::Result<Reading> decode_record(base::ByteView record);

}  // namespace mitral::clinical
