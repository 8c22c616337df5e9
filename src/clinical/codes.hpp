// The nomenclature: ISO/IEEE 11073-10101 (MDC) codes with their reference ids, LOINC codes and UCUM
// units. A code is taken with its allowed units only: a unit mix-up is refused, never guessed.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace mitral::clinical {

// How far an entry has been checked against a public source. What is not checked is known by name
// but its number is not published: a wrong code in a record is worse than a missing one.
enum class Evidence : std::uint8_t { checked, unverified };

struct UnitEntry {
    std::string_view ucum;   // "mm[Hg]", case-sensitive (UCUM c/s)
    std::uint32_t mdc_unit;  // MDC_DIM_*, 0: not in the sources
    std::string_view loinc;  // of the code in this unit; empty: none (waveforms)
    Evidence loinc_evidence = Evidence::checked;
};

struct CodeEntry {
    std::uint32_t mdc;                 // partition × 65536 + term
    std::string_view name;             // reference id
    std::span<const UnitEntry> units;  // allowed ones
    Evidence mdc_evidence = Evidence::checked;
};

// All entries, sorted by name.
[[nodiscard]] std::span<const CodeEntry> all_codes() noexcept;

// nullptr: not in the table. Pointers stay valid for the life of the program.
[[nodiscard]] const CodeEntry* find_code(std::string_view name) noexcept;
[[nodiscard]] const CodeEntry* find_code(std::uint32_t mdc) noexcept;
// nullptr: this code is not measured in this unit.
[[nodiscard]] const UnitEntry* find_unit(const CodeEntry& code, std::string_view ucum) noexcept;

// The numbers to publish: 0 and empty where the evidence is missing.
[[nodiscard]] std::uint32_t published_mdc(const CodeEntry& code) noexcept;
[[nodiscard]] std::string_view published_loinc(std::string_view code_name,
                                               std::string_view ucum) noexcept;

// Frequent spellings that are not UCUM ("bpm", "mmHg", "degC"): the right one, or empty.
[[nodiscard]] std::string_view ucum_for_misspelling(std::string_view unit) noexcept;

}  // namespace mitral::clinical
