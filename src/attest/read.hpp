// Reads evidence of a trust zone (docs/formats/evidence.md): hostile until its signature was
// checked, and even then only what its signer says.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "attest/evidence.h"
#include "attest/report.hpp"
#include "base/p256.hpp"
#include "base/result.hpp"

namespace mitral::attest {

using UnitId = std::array<std::uint8_t, EVIDENCE_UNIT_ID_SIZE>;
using BootId = std::array<std::uint8_t, EVIDENCE_BOOT_ID_SIZE>;
using Nonce = std::array<std::uint8_t, EVIDENCE_NONCE_SIZE>;

enum class Custody : std::uint8_t { unprovisioned = 0, ready = 1, quarantined = 2, wiped = 3 };
[[nodiscard]] std::string_view to_string(Custody custody) noexcept;

// As evidence_state of evidence.h.
struct State {
    base::P256PublicKey attestation_key{};
    UnitId unit_id{};
    BootId boot_id{};
    std::uint64_t checkpoint = 0;
    std::uint64_t mints = 0;
    std::uint64_t refusals = 0;
    std::int64_t time_floor_s = 0;
    std::int64_t signed_time_age_s = -1;
    std::uint64_t order_counter = 0;
    std::uint32_t epoch = 0;
    Custody custody = Custody::unprovisioned;
    bool doubtful = false;
    std::string registration_id;
};

struct Checkpoint {
    State state;
    Report report;
};

struct Attestation {
    Nonce nonce{};
    State state;
};

// malformed: that is no evidence of this kind. not_authentic: it is not signed under `key`, or
// names another.
[[nodiscard]] base::Result<Checkpoint> read_checkpoint(base::ByteView bytes,
                                                       const base::P256PublicKey& key);
// not_authentic also: it answers another nonce.
[[nodiscard]] base::Result<Attestation> read_attestation(base::ByteView bytes,
                                                         const base::P256PublicKey& key,
                                                         const Nonce& nonce);
// The same without a key to expect: signed under the key it names. For the moment at which a key is
// recorded, on a connection that is trusted.
[[nodiscard]] base::Result<Attestation> read_first_attestation(base::ByteView bytes,
                                                               const Nonce& nonce);

}  // namespace mitral::attest
