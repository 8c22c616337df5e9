#include "intake/hl7/parameter.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "intake/hl7/number.hpp"
#include "intake/hl7/triplets.hpp"

namespace mitral::intake::hl7 {
namespace {

using Verdict = ParameterMatch::Verdict;
using clinical::CodeEntry;

// Older reference ids of the same codes.
constexpr auto synonyms = std::to_array<std::pair<std::string_view, std::string_view>>({
    {"MDC_ECG_CARD_BEAT_RATE", "MDC_ECG_HEART_RATE"},
    {"MDC_ECG_LEAD_I", "MDC_ECG_ELEC_POTL_I"},
    {"MDC_ECG_LEAD_II", "MDC_ECG_ELEC_POTL_II"},
});

ParameterMatch found(Parameter parameter) noexcept {
    return {Verdict::found, parameter};
}
constexpr ParameterMatch unknown{Verdict::unknown, {}};
constexpr ParameterMatch conflicting{Verdict::conflicting, {}};

bool names_mdc(std::string_view system) noexcept {
    return system.empty() || system == "MDC" || system == "ISO11073";
}

const CodeEntry* entry_by_number(std::string_view id, std::string_view system) noexcept {
    const auto number = names_mdc(system) ? parse_code_number(id) : std::nullopt;
    const auto* entry = number ? clinical::find_code(*number) : nullptr;
    // A number that nobody could check names nothing.
    return entry != nullptr && entry->mdc_evidence == clinical::Evidence::checked ? entry : nullptr;
}

const CodeEntry* entry_by_name(std::string_view name) noexcept {
    if (!name.starts_with("MDC_"))
        return nullptr;
    if (const auto* entry = clinical::find_code(name))
        return entry;
    const auto synonym =
        std::ranges::find(synonyms, name, &std::pair<std::string_view, std::string_view>::first);
    return synonym != synonyms.end() ? clinical::find_code(synonym->second) : nullptr;
}

ParameterMatch match_standard(std::string_view id, std::string_view text,
                              std::string_view system) noexcept {
    const auto* by_name = entry_by_name(text);
    // The right number needs no table walk when the name has led to it.
    if (by_name != nullptr && by_name->mdc_evidence == clinical::Evidence::checked &&
        parse_code_number(id) == by_name->mdc)
        return found({by_name, nullptr});
    const auto* by_number = entry_by_number(id, system);
    if (by_number == nullptr && by_name == nullptr)
        by_name = entry_by_name(id);  // MDC_ECG_HEART_RATE^…^MDC
    if (by_number == nullptr)
        return by_name != nullptr ? found({by_name, nullptr}) : unknown;
    // A reference id that we do not know is a name for something else, not a label.
    if (by_name == nullptr ? text.starts_with("MDC_") : by_name != by_number)
        return conflicting;
    return found({by_number, nullptr});
}

ParameterMatch match_dialect(std::string_view id, std::string_view text, std::string_view system,
                             const Dialect* dialect) noexcept {
    if (dialect == nullptr)
        return unknown;
    const auto* by_id = dialect->find_id(id, system);
    const auto* by_name = dialect->find_name(text, system);
    if (by_name == nullptr && by_id == nullptr)
        by_name = dialect->find_name(id, system);
    const auto* code = by_id != nullptr ? by_id : by_name;
    if (code == nullptr)
        return unknown;
    const Parameter parameter{code->entry, code};
    if (by_id != nullptr && by_name != nullptr &&
        !parameter.same_as(Parameter{by_name->entry, by_name}))
        return conflicting;
    // The half that the dialect does not know may still be a standard code, of something else.
    const auto* standard = by_id == nullptr     ? entry_by_number(id, system)
                           : by_name == nullptr ? entry_by_name(text)
                                                : nullptr;
    return standard == nullptr || standard == code->entry ? found(parameter) : conflicting;
}

// What the dialect says of a standard parameter that it does not rename.
Parameter with_dialect(Parameter parameter, const Dialect* dialect) noexcept {
    if (dialect != nullptr && parameter.own == nullptr)
        parameter.own = dialect->find_name(parameter.name(), "MDC");
    return parameter;
}

ParameterMatch match(std::string_view id, std::string_view text, std::string_view system,
                     const Dialect* dialect) noexcept {
    if (id.empty() && text.empty())
        return unknown;
    const auto theirs = match_dialect(id, text, system, dialect);
    return theirs.verdict != Verdict::unknown ? theirs : match_standard(id, text, system);
}

// Several parameters share a LOINC code; it names one only where no other has it in this unit.
ParameterMatch match_loinc(std::string_view loinc, std::string_view system,
                           std::string_view ucum) noexcept {
    if (system != "LN" || loinc.empty())
        return unknown;
    const CodeEntry* only = nullptr;
    for (const auto& entry : clinical::all_codes()) {
        const bool says = std::ranges::any_of(entry.units, [&](const clinical::UnitEntry& unit) {
            return unit.loinc == loinc && unit.loinc_evidence == clinical::Evidence::checked &&
                   (ucum.empty() || unit.ucum == ucum);
        });
        if (!says)
            continue;
        if (only != nullptr)
            return unknown;
        only = &entry;
    }
    return only != nullptr ? found({only, nullptr}) : unknown;
}

}  // namespace

std::string_view Parameter::allowed(std::string_view ucum) const noexcept {
    if (entry != nullptr) {
        const auto* unit = clinical::find_unit(*entry, ucum);
        return unit != nullptr ? unit->ucum : std::string_view{};
    }
    if (own->unit == ucum)
        return own->unit;
    const auto spelling = std::ranges::find(
        own->units, ucum, [](const auto& pair) -> const auto& { return pair.second; });
    return spelling != own->units.end() ? std::string_view(spelling->second) : std::string_view{};
}

std::string_view Parameter::implied_unit() const noexcept {
    if (own != nullptr && !own->unit.empty())
        return own->unit;
    return entry != nullptr && entry->units.size() == 1 ? entry->units.front().ucum
                                                        : std::string_view{};
}

ParameterMatch read_parameter(const Part& identifier, const Dialect* dialect,
                              std::string_view ucum) {
    Triplets parts(identifier);
    if (const auto separator = identifier.delimiters().subcomponent; separator != '\0')
        parts.id = parts.id.substr(0, parts.id.find(separator));
    auto first = match(parts.id, parts.text, parts.system, dialect);
    const auto second = match(parts.other_id, parts.other_text, parts.other_system, dialect);
    if (first.verdict == Verdict::conflicting || second.verdict == Verdict::conflicting)
        return conflicting;
    if (first.verdict == Verdict::unknown)
        first = second;
    else if (second.verdict == Verdict::found && !first.parameter.same_as(second.parameter))
        return conflicting;
    if (first.verdict == Verdict::unknown)
        first = match_loinc(parts.id, parts.system, ucum);
    if (first.verdict == Verdict::unknown)
        first = match_loinc(parts.other_id, parts.other_system, ucum);
    if (first.verdict == Verdict::found)
        first.parameter = with_dialect(first.parameter, dialect);
    return first;
}

ParameterMatch read_parameter_name(std::string_view name, const Dialect* dialect) {
    auto named = match({}, name, {}, dialect);
    if (named.verdict == Verdict::found)
        named.parameter = with_dialect(named.parameter, dialect);
    return named;
}

}  // namespace mitral::intake::hl7
