// What a make of monitor says in its own way: private codes, spellings of units, numbers that mean
// "no value". Read from a code table (code_table.hpp, docs/adapters/hl7-codes.md); immutable
// afterwards.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "clinical/codes.hpp"
#include "clinical/decimal.hpp"
#include "clinical/observation.hpp"

namespace mitral::intake::hl7 {

// What a zero means.
enum class ZeroRule : std::uint8_t {
    by_code,  // nothing was measured where zero is impossible (special_values.hpp), else zero
    value,
    absent,
};

// A value that stands for the absence of one: a number, compared as a number, or a text.
struct Sentinel {
    std::string text;
    std::optional<clinical::Decimal> number;
    clinical::Absent reason = clinical::Absent::unknown;
};

using UnitSpellings = std::map<std::string, std::string, std::less<>>;  // as sent → UCUM

struct DialectCode {
    std::string system;                          // OBX-3.3; empty: whatever is sent
    std::string id;                              // OBX-3.1 as sent; empty: matched by name only
    std::string name;                            // OBX-3.2 as sent; empty: matched by id only
    const clinical::CodeEntry* entry = nullptr;  // what it means in our table …
    std::string own_name;                        // … or the name it is published under
    UnitSpellings units;
    std::string unit;  // UCUM; used where OBX-6 is empty
    std::vector<Sentinel> absent;
    ZeroRule zero = ZeroRule::by_code;
    std::optional<clinical::Decimal> rate;   // of a waveform without one, samples per second
    std::optional<clinical::Decimal> scale;  // of a waveform without one
};

struct Dialect {
    std::string name;
    bool control_id_is_type = false;  // MSH-10 says what kind of message it is, not which
    UnitSpellings units;
    std::vector<Sentinel> absent;
    ZeroRule zero = ZeroRule::by_code;
    std::vector<DialectCode> codes;

    // Of OBX-3; nullptr: not in the table.
    [[nodiscard]] const DialectCode* find_id(std::string_view id,
                                             std::string_view system) const noexcept;
    [[nodiscard]] const DialectCode* find_name(std::string_view code_name,
                                               std::string_view system) const noexcept;

    // After `codes` is complete.
    void index_codes();

  private:
    using Index = std::multimap<std::string, std::size_t, std::less<>>;
    [[nodiscard]] const DialectCode* find(const Index& index, std::string_view key,
                                          std::string_view system) const noexcept;

    Index by_id_;
    Index by_name_;
};

}  // namespace mitral::intake::hl7
