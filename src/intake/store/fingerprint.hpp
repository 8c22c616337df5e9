// What is remembered of a reading: 16 bytes that tell its id from others and its content from other
// content under the same id.
#pragma once

#include <cstdint>

#include "clinical/observation.hpp"
#include "intake/store/keyed_hash.hpp"

namespace mitral::intake {

// The key is drawn anew by each process, so no sender can look for collisions. By chance: an id new
// to a source meets one of 4,096 remembered ones once in 2^52 lines, and is then refused; other
// content under a known id passes for the same once in 2^64 attempts.
struct Fingerprint {
    std::uint64_t id = 0;
    std::uint64_t content = 0;
};
static_assert(sizeof(Fingerprint) == 16);

class Fingerprints {
  public:
    Fingerprints();
    explicit Fingerprints(KeyedHash::Key key) noexcept : key_(key) {}

    // Of control id, and of device time, observations and waveforms: what the sender said, not when
    // it came, nor what was made of it here and may be otherwise next time (how sure the time is,
    // the subject's pseudonym). The source is not part of it. Precondition:
    // clinical::check(reading).
    [[nodiscard]] Fingerprint of(const clinical::Reading& reading) const noexcept;

  private:
    KeyedHash::Key key_;
};

}  // namespace mitral::intake
