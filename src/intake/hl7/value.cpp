#include "intake/hl7/value.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "intake/hl7/number.hpp"
#include "intake/hl7/special_values.hpp"
#include "intake/hl7/triplets.hpp"

namespace mitral::intake::hl7 {
namespace {

using clinical::Absent;
using Outcome = std::expected<Value, KeptOut>;

constexpr std::size_t most_flags = 16;

std::unexpected<KeptOut> kept_out(std::uint64_t NotUnderstood::* counter, std::string_view why) {
    return std::unexpected(KeptOut{counter, why});
}
std::unexpected<KeptOut> no_value(std::string_view why) {
    return kept_out(&NotUnderstood::values, why);
}

// Coded reasons: HL7 null flavours (table NullFlavor of v3) and FHIR's data-absent-reason.
constexpr auto coded_reasons = std::to_array<std::pair<std::string_view, Absent>>({
    {"NI", Absent::unknown},
    {"UNK", Absent::unknown},
    {"NAV", Absent::unknown},
    {"NASK", Absent::not_measured},
    {"INV", Absent::error},
    {"PINF", Absent::above_range},
    {"NINF", Absent::below_range},
    {"unknown", Absent::unknown},
    {"temp-unknown", Absent::unknown},
    {"not-asked", Absent::not_measured},
    {"not-performed", Absent::not_measured},
    {"error", Absent::error},
    {"not-a-number", Absent::not_a_number},
    {"negative-infinity", Absent::below_range},
    {"positive-infinity", Absent::above_range},
});

bool names_absence(std::string_view system) noexcept {
    return system == "NULLFL" || system == "HL7nullFlavor" || system == "NullFlavor" ||
           system == "data-absent-reason";
}

Outcome read_coded(const Part& value) {
    const Triplets parts(value);
    const auto found =
        std::ranges::find(coded_reasons, parts.id, &std::pair<std::string_view, Absent>::first);
    if (names_absence(parts.system) && found != coded_reasons.end())
        return found->second;
    return kept_out(&NotUnderstood::texts, "a coded value, not a number");
}

// "---", and what IEEE 754 prints.
std::optional<Absent> named_absence(std::string_view text) noexcept {
    if (text.find_first_not_of('-') == std::string_view::npos)
        return Absent::not_measured;
    if (text == "NaN" || text == "nan" || text == "NAN")
        return Absent::not_a_number;
    if (text == "INF" || text == "inf" || text == "+INF" || text == "Infinity")
        return Absent::above_range;
    if (text == "-INF" || text == "-inf" || text == "-Infinity")
        return Absent::below_range;
    return std::nullopt;
}

Outcome read_number(std::string_view text, const Parameter& parameter, const Dialect* dialect,
                    KeptOut otherwise) {
    if (const auto reason = said_absent(text, dialect, parameter.own))
        return *reason;
    const auto number = parse_number(text);
    if (!number) {
        const auto reason = named_absence(text);
        return reason ? Outcome(*reason) : std::unexpected(otherwise);
    }
    const auto judgement = judge(*number, parameter, dialect);
    switch (judgement.plausibility) {
        case Plausibility::measured:
            return *number;
        case Plausibility::no_value:
            return judgement.reason;
        case Plausibility::impossible:
            break;
    }
    return no_value("a number that this cannot be");
}

// ">" and "<" in front of a bound: the measurement lies beyond what the device can show.
Outcome read_bound(char comparator, std::string_view bound) {
    if (!parse_number(bound))
        return no_value("a comparison with something that is no number");
    return comparator == '>' ? Absent::above_range : Absent::below_range;
}

// SN, §2.A.69: comparator, number, separator, number.
Outcome read_structured(const Part& value, const Parameter& parameter, const Dialect* dialect) {
    const auto comparator = trimmed(value.component(1).raw());
    const auto number = value.component(2).raw();
    if (!value.component(3).empty() || !value.component(4).empty())
        return no_value("a ratio or a range, not one number");
    if (comparator.empty() || comparator == "=")
        return read_number(trimmed(number), parameter, dialect,
                           {&NotUnderstood::values, "not a number"});
    if (comparator == "<>" || comparator.find_first_not_of("<>=") != std::string_view::npos)
        return no_value("an unknown comparison");
    return read_bound(comparator.front(), number);
}

Outcome read_text(const Part& value, const Parameter& parameter, const Dialect* dialect,
                  KeptOut otherwise) {
    if (value.repetitions() > 1 || value.components() > 1)
        return std::unexpected(otherwise);
    const auto text = trimmed(value.raw());
    if (text.starts_with('>') || text.starts_with('<')) {
        auto bound = text.substr(1);
        if (bound.starts_with('='))
            bound.remove_prefix(1);
        return parse_number(bound) ? read_bound(text.front(), bound) : std::unexpected(otherwise);
    }
    return read_number(text, parameter, dialect, otherwise);
}

// OBX-8 (table 0078 and the measurement states of IHE PCD TF-2 §B.8). nullopt: OBX-5 counts.
std::optional<Outcome> read_flags(const Part& flags) {
    if (flags.empty())
        return std::nullopt;
    if (flags.repetitions() > most_flags)
        return no_value("too many flags");
    for (std::size_t number = flags.repetitions(); number > 0; --number) {
        const auto flag = trimmed(flags.repetition(number).component(1).raw());
        if (flag == "DEMO" || flag == "TEST")
            return no_value("demonstration or test data");
        if (flag == "INV")
            return Absent::error;
        if (flag == "NAV" || flag == "CAL")
            return Absent::not_measured;
        if (flag == ">")
            return Absent::above_range;
        if (flag == "<")
            return Absent::below_range;
    }
    return std::nullopt;
}

// OBX-11, table 0085. nullopt: OBX-5 counts.
std::optional<Outcome> read_status(std::string_view status) {
    if (status == "X" || status == "N")
        return Absent::not_measured;
    if (status == "D" || status == "W")
        return no_value("deleted, or said to be wrong");
    return std::nullopt;
}

}  // namespace

std::optional<KeptOut> disclaimed(const ObservationRow& row) {
    auto said = read_status(row.status());
    if (!said)
        said = read_flags(row.flags());
    if (!said)
        return std::nullopt;
    return KeptOut{&NotUnderstood::waves,
                   *said ? "its status or flags say that there is none" : said->error().why};
}

Outcome read_value(const ObservationRow& row, const Parameter& parameter, const Dialect* dialect) {
    if (auto said = read_status(row.status()))
        return *said;
    if (auto said = read_flags(row.flags()))
        return *said;
    const auto value = row.value();
    if (value.empty())
        return Absent::unknown;
    if (value.is_null())
        return Absent::not_measured;
    const auto type = row.type();
    if (type == "NM")
        return read_text(value, parameter, dialect, {&NotUnderstood::values, "not a number"});
    if (type == "SN")
        return read_structured(value, parameter, dialect);
    if (type == "ST" || type == "TX" || type == "FT" || type.empty())
        return read_text(value, parameter, dialect, {&NotUnderstood::texts, "a text"});
    if (type == "CE" || type == "CWE" || type == "CNE" || type == "CF")
        return read_coded(value);
    return kept_out(&NotUnderstood::texts, "a value of a type that is no number");
}

}  // namespace mitral::intake::hl7
