// How vendors differ in HL7 v2, as data: what a message of one kind of monitor looks like.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace mitral::bedside {

enum class Codes : std::uint8_t { mdc, own };              // 147842^MDC_…^MDC or 4101^HR^99MON
enum class Units : std::uint8_t { mdc, ucum, plain };      // 264864^MDC_DIM_…^MDC, UCUM, "bpm"
enum class Missing : std::uint8_t { status, zero, code };  // OBX-11 X, the value 0, the value -100
enum class Letters : std::uint8_t { ascii, latin1, utf8 };

struct Dialect {
    std::string_view name;
    std::string_view version;      // MSH-12
    std::string_view event;        // MSH-9 of numbers
    std::string_view wave_event;   // MSH-9 of waveforms
    std::string_view encoding;     // MSH-2
    std::string_view accept;       // MSH-15
    std::string_view application;  // MSH-16
    Letters letters;               // of names; MSH-18 says so
    std::string_view profile;      // MSH-21
    Codes codes;
    Units units;
    Missing missing;
    bool zone;               // times say theirs
    bool milliseconds;       // times have a fraction
    bool row_times;          // OBX-14 in every row; else OBR-7 alone
    bool containment;        // OBX-4 and the rows of MDS and VMD
    bool kilopascal;         // pressures
    bool last_segment_ends;  // a CR stands before 1C
};

constexpr std::string_view sentinel = "-100";  // Missing::code
constexpr std::string_view private_system = "99MON";

[[nodiscard]] std::span<const Dialect> dialects() noexcept;
[[nodiscard]] const Dialect* find_dialect(std::string_view name) noexcept;

}  // namespace mitral::bedside
