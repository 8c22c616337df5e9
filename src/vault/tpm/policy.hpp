// The policy every key of Mitral carries in the TPM: usable for one command only, and only while
// the generation counter in NV has the value it had when the key came. A wipe raises the counter,
// which never goes back (TPM 2.0 Part 1, 37.2.4), and so voids every key, copies on other disks
// included. As the policy names one command, TPM2_Duplicate is never allowed. Pure computation,
// shared with the station.
#pragma once

#include <cstdint>

#include "base/bytes.hpp"
#include "base/crypto.hpp"

namespace mitral::vault::tpm {

// TPM 2.0 Part 2, 6.5.2
enum class Command : std::uint32_t { hmac = 0x155, unseal = 0x15E };

// What the counter is and where it stands.
struct Generation {
    base::Bytes counter_name;  // Name of the NV index, 34 bytes
    std::uint64_t value = 0;
};

// Part 3, 23.9 (PolicyNV: equal) and 23.11 (PolicyCommandCode)
[[nodiscard]] base::Sha256Digest key_policy(const Generation& generation, Command command);

}  // namespace mitral::vault::tpm
