// Which parameter OBX-3 names: by number and by name, for monitors get either wrong. No I/O.
#pragma once

#include <cstdint>
#include <string_view>

#include "clinical/codes.hpp"
#include "intake/hl7/dialect.hpp"
#include "intake/hl7/message.hpp"

namespace mitral::intake::hl7 {

// What is measured. Points into the nomenclature and into the dialect.
struct Parameter {
    const clinical::CodeEntry* entry = nullptr;  // null: a name of the dialect's own
    const DialectCode* own = nullptr;            // what the dialect says of it; null: nothing

    [[nodiscard]] std::string_view name() const noexcept {
        return entry != nullptr ? entry->name : std::string_view(own->own_name);
    }
    [[nodiscard]] std::uint32_t mdc() const noexcept {
        return entry != nullptr ? clinical::published_mdc(*entry) : 0;
    }
    [[nodiscard]] bool same_as(const Parameter& other) const noexcept {
        return name() == other.name();
    }
    // The unit's own spelling where it is one of the parameter's, empty where it is not.
    [[nodiscard]] std::string_view allowed(std::string_view ucum) const noexcept;
    // The unit of a value that states none; empty where several are possible.
    [[nodiscard]] std::string_view implied_unit() const noexcept;
};

struct ParameterMatch {
    enum class Verdict : std::uint8_t {
        found,
        unknown,
        conflicting,  // number and name, or the two triplets, mean different parameters
    };
    Verdict verdict = Verdict::unknown;
    Parameter parameter;  // where found
};

// Suffixes of OBX-3.1 ("5&WAV") do not count. `ucum`: what OBX-6 says by itself, which decides
// between LOINC codes; may be empty.
[[nodiscard]] ParameterMatch read_parameter(const Part& identifier, const Dialect* dialect,
                                            std::string_view ucum);

// By a name alone, as channels of waveforms have them.
[[nodiscard]] ParameterMatch read_parameter_name(std::string_view name, const Dialect* dialect);

}  // namespace mitral::intake::hl7
