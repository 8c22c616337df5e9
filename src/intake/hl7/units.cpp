#include "intake/hl7/units.hpp"

#include <algorithm>
#include <array>

#include "clinical/codes.hpp"
#include "intake/hl7/number.hpp"
#include "intake/hl7/triplets.hpp"

namespace mitral::intake::hl7 {
namespace {

struct MdcUnit {
    std::uint32_t number;  // partition 4 × 65536 + term
    std::string_view name;
    std::string_view ucum;
};

// ISO/IEEE 11073-10101 annex, as far as the units of clinical/codes.cpp and sample rates go.
constexpr auto mdc_units = std::to_array<MdcUnit>({
    {264864, "MDC_DIM_BEAT_PER_MIN", "/min"},
    {262688, "MDC_DIM_PERCENT", "%"},
    {266016, "MDC_DIM_MMHG", "mm[Hg]"},
    {264928, "MDC_DIM_RESP_PER_MIN", "/min"},
    {268192, "MDC_DIM_DEGC", "Cel"},
    {265987, "MDC_DIM_KILO_PASCAL", "kPa"},
    {266560, "MDC_DIM_FAHR", "[degF]"},
    {266418, "MDC_DIM_MILLI_VOLT", "mV"},
    {262656, "MDC_DIM_DIMLESS", "1"},
    {264608, "MDC_DIM_PER_SEC", "/s"},
    {264640, "MDC_DIM_HZ", "Hz"},
    {263875, "MDC_DIM_KILO_G", "kg"},
    {263441, "MDC_DIM_CENTI_M", "cm"},
    {264096, "MDC_DIM_KG_PER_M_SQ", "kg/m2"},
    {264274, "MDC_DIM_MILLI_G_PER_DL", "mg/dL"},
    {266866, "MDC_DIM_MILLI_MOLE_PER_L", "mmol/L"},
});

// UCUM that is spelled right already.
std::string_view known_ucum(std::string_view spelling) noexcept {
    const auto found = std::ranges::find(mdc_units, spelling, &MdcUnit::ucum);
    if (found != mdc_units.end())
        return found->ucum;
    return spelling == "[lb_av]" ? std::string_view("[lb_av]") : std::string_view{};
}

std::string_view spelled_by(const UnitSpellings& spellings, std::string_view text) noexcept {
    const auto found = spellings.find(text);
    return found != spellings.end() ? std::string_view(found->second) : std::string_view{};
}

// As the code table has it, on either side.
std::string_view spelled_by(const DialectCode& code, std::string_view text) noexcept {
    if (const auto ucum = spelled_by(code.units, text); !ucum.empty() || code.unit == text)
        return !ucum.empty() ? ucum : std::string_view(code.unit);
    const auto same = std::ranges::find_if(
        code.units, [&](const auto& spelling) { return spelling.second == text; });
    return same != code.units.end() ? std::string_view(same->second) : std::string_view{};
}

std::string_view ucum_of(std::string_view text, const Dialect* dialect,
                         const DialectCode* code) noexcept {
    if (text.empty())
        return {};
    if (code != nullptr) {
        if (const auto own = spelled_by(*code, text); !own.empty())
            return own;
    }
    if (dialect != nullptr) {
        if (const auto theirs = spelled_by(dialect->units, text); !theirs.empty())
            return theirs;
    }
    return hl7::ucum_of(text);
}

// Identifier and text of one triplet.
UnitMatch match(std::string_view id, std::string_view text, const Dialect* dialect,
                const DialectCode* code) noexcept {
    using enum UnitMatch::Verdict;
    const auto by_id = ucum_of(id, dialect, code);
    const auto by_text = ucum_of(text, dialect, code);
    if (by_id.empty() && by_text.empty())
        return {id.empty() && text.empty() ? empty : unknown, {}};
    if (by_id.empty())
        return {found, by_text};
    const bool agree = by_text.empty() || by_text == by_id;
    return agree ? UnitMatch{found, by_id} : UnitMatch{conflicting, {}};
}

}  // namespace

std::string_view ucum_of(std::string_view spelling) noexcept {
    if (const auto number = parse_code_number(spelling)) {
        const auto found = std::ranges::find(mdc_units, *number, &MdcUnit::number);
        if (found != mdc_units.end())
            return found->ucum;
    }
    if (spelling.starts_with("MDC_DIM_")) {
        const auto found = std::ranges::find(mdc_units, spelling, &MdcUnit::name);
        return found != mdc_units.end() ? found->ucum : std::string_view{};
    }
    if (const auto right = known_ucum(spelling); !right.empty())
        return right;
    return clinical::ucum_for_misspelling(spelling);
}

UnitMatch read_unit(const Part& field, const Dialect* dialect, const DialectCode* code) {
    using enum UnitMatch::Verdict;
    if (field.empty() || field.is_null())
        return {};
    const Triplets parts(field);
    const auto first = match(parts.id, parts.text, dialect, code);
    const auto second = match(parts.other_id, parts.other_text, dialect, code);
    if (first.verdict == conflicting || second.verdict == conflicting)
        return {conflicting, {}};
    if (first.verdict == found && second.verdict == found && first.ucum != second.ucum)
        return {conflicting, {}};
    if (first.verdict == found || second.verdict != found)
        return first.verdict == empty ? second : first;
    return second;
}

}  // namespace mitral::intake::hl7
