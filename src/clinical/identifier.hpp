// The alphabets of everything a sender names. None of them has a space or a letter beyond ASCII,
// and all are short: free text, a patient's name above all, is refused at the door
// (docs/formats/lines-1.md).
#pragma once

#include <cstddef>
#include <string_view>

namespace mitral::clinical {

constexpr std::size_t max_identifier = 64;  // bytes: sources, control ids, codes
constexpr std::size_t max_unit = 32;        // bytes
constexpr std::size_t subject_size = 22;    // bytes: 128 bits in base64url

// 1–64 of [A-Za-z0-9._:-]: sources, control ids, codes ("MDC_ECG_HEART_RATE" or a sender's own).
[[nodiscard]] bool is_identifier(std::string_view text) noexcept;
// 1–32 visible ASCII characters without '"' and '\': the characters of a UCUM unit.
[[nodiscard]] bool is_unit(std::string_view text) noexcept;
// 22 of [A-Za-z0-9_-]: a keyed pseudonym has this shape; a name or a hospital's number hardly ever.
[[nodiscard]] bool is_subject(std::string_view text) noexcept;

}  // namespace mitral::clinical
