// What of a monitor's messages was kept out, counted by reason. Never what it was: a text of a
// message does not leave the gateway (docs/decisions/0006).
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

namespace mitral::intake::hl7 {

struct NotUnderstood {
    std::uint64_t codes = 0;              // OBX-3 is in no table
    std::uint64_t conflicting_codes = 0;  // number and name of OBX-3 mean two different things
    std::uint64_t units = 0;              // OBX-6 is unknown, missing or not one of the code's
    std::uint64_t texts = 0;              // OBX-5 is no number by its type
    std::uint64_t values = 0;          // OBX-5 should be a number and is none, or an impossible one
    std::uint64_t waves = 0;           // samples without rate, scale or time, or not whole
    std::uint64_t times = 0;           // a time that is none, or without a zone where none is set
    std::uint64_t segments = 0;        // not of HL7 v2.6, as Z segments
    std::uint64_t beds = 0;            // PV1-3 is not in the list: all its observations
    std::uint64_t subjects = 0;        // a patient for whom no pseudonym could be had
    std::uint64_t character_sets = 0;  // counted by who decodes the text

    [[nodiscard]] std::uint64_t total() const noexcept;
    NotUnderstood& operator+=(const NotUnderstood& other) noexcept;
    bool operator==(const NotUnderstood&) const = default;
};

struct NamedCounter {
    std::string_view name;  // "conflicting-codes", as the status file writes it
    std::uint64_t NotUnderstood::* counter;
};
[[nodiscard]] const std::array<NamedCounter, 11>& not_understood_counters() noexcept;

// Where and why, for somebody who has the message at hand (--explain).
struct Finding {
    std::uint16_t index;  // of the OBX
    std::uint64_t NotUnderstood::* counter;
    std::string_view why;  // our words, static
};
using Findings = std::vector<Finding>;

}  // namespace mitral::intake::hl7
