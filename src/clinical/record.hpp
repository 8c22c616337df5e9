// A Reading as it lies in the spool: compact, versioned, strict. The uplink treats it as hostile.
//
// Version 2, integers big-endian:
//   u8 version = 2 · u8 flags (bits 0–1: device clock; bit 2: a subject follows) · u8 clock state
//   u64 received, ms · [u64 device time, ms, unless the device clock is 0] · text source
//   text control id · [text subject]
//   u16 observations, each: u16 index · u32 mdc · text code · text unit · value
//   u8 waveforms, each: u16 index · u32 mdc · text code · text unit · decimal rate · decimal scale
//                       u32 samples · u32 length · deltas (clinical/delta.hpp)
//   text = u8 length, bytes · decimal = i8 exponent, i64 mantissa · value = u8 0, decimal | u8 1,
//   u8 reason
// Version 1 (0.1.0 before HL7) knew one flag, bit 0 for a device time, which always had its zone:
// it is read as version 2 with that one bit.
#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "clinical/observation.hpp"

namespace mitral::clinical {

constexpr std::size_t max_observations = 512;   // per reading
constexpr std::size_t max_waveforms = 16;       // per reading
constexpr std::size_t max_samples = 32 * 1024;  // per waveform
// Bytes of a record. What fits here fits in one cloud message (max_body_size) of either schema.
constexpr std::size_t max_record_size = 224 * 1024;

// 0000-01-01 to 9999-12-31, UTC: what ISO 8601 can write.
constexpr base::WallTime earliest_time{-62'167'219'200'000};
constexpr base::WallTime latest_time{253'402'300'799'999};

// Whether a reading keeps every bound of observation.hpp and of this page: alphabets, counts,
// decimals, times, indexes that rise within each list, at least one observation or waveform. An
// adapter that builds readings from foreign input asks before it appends.
[[nodiscard]] base::Status check(const Reading& reading);

// Precondition: check(reading). Only the size is left to the caller to compare with
// max_record_size.
void append_record(const Reading& reading, base::Bytes& out);
[[nodiscard]] base::Result<Reading> decode_record(base::ByteView record);

}  // namespace mitral::clinical
