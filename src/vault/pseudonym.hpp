// A patient's pseudonym: the same for every gateway that a hospital gave the same site key, and of
// no use without that key. The key signs nothing else (docs/decisions/0008-pseudonym-key.md).
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "base/bytes.hpp"

namespace mitral::vault {

constexpr std::size_t subject_key_size = 32;     // bytes
constexpr std::size_t max_patient_text = 256;    // bytes, id and authority each
using Pseudonym = std::array<std::uint8_t, 16>;  // the first half of an HMAC-SHA256

// Who somebody is to the hospital: HL7 v2 CX.1 and CX.4.1.
struct Patient {
    std::string id;
    std::string authority;  // who gave the id

    bool operator==(const Patient&) const = default;
};

// Within the bounds, and not empty altogether.
[[nodiscard]] bool is_nameable(const Patient& patient) noexcept;

// "mitral subject 1" | 0 | u16 length of the authority | authority | id: no two patients meet in
// one input, and no other use of an HMAC in Mitral begins so.
[[nodiscard]] base::Bytes pseudonym_input(const Patient& patient);

}  // namespace mitral::vault
