// Units as monitors write them (OBX-6): MDC numbers, MDC_DIM_* names, UCUM, and spellings that are
// none of these. No I/O.
#pragma once

#include <cstdint>
#include <string_view>

#include "intake/hl7/dialect.hpp"
#include "intake/hl7/message.hpp"

namespace mitral::intake::hl7 {

// What a unit field says by itself, whatever it is the unit of.
struct UnitMatch {
    enum class Verdict : std::uint8_t {
        empty,
        found,
        unknown,
        conflicting,  // its parts name two different units
    };
    Verdict verdict = Verdict::empty;
    std::string_view ucum;  // where found; lives as long as the message and the dialect
};

// `code`: the parameter's own spellings are known too. Null: only the dialect's.
[[nodiscard]] UnitMatch read_unit(const Part& field, const Dialect* dialect,
                                  const DialectCode* code);

// The UCUM of one spelling: "264864", "MDC_DIM_BEAT_PER_MIN", "/min", "bpm"; empty: none that we
// know.
[[nodiscard]] std::string_view ucum_of(std::string_view spelling) noexcept;

}  // namespace mitral::intake::hl7
