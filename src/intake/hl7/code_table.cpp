#include "intake/hl7/code_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/config.hpp"
#include "base/errors.hpp"
#include "clinical/identifier.hpp"
#include "intake/hl7/number.hpp"
#include "intake/hl7/units.hpp"

namespace mitral::intake::hl7 {
namespace {

using base::Table;

constexpr std::size_t max_codes = 4096;
constexpr std::string_view see = "; see docs/adapters/hl7-codes.md";

void reject(Table& table, std::string_view key, std::string_view what) {
    table.reject(key, fmt::format("{}{}", what, see));
}

ZeroRule read_zero(Table& table) {
    const auto text = table.text("zero", "");
    if (text == "value")
        return ZeroRule::value;
    if (text == "absent")
        return ZeroRule::absent;
    if (!text.empty())
        reject(table, "zero", "must be \"value\" or \"absent\"");
    return ZeroRule::by_code;
}

std::vector<Sentinel> read_absent(Table& table) {
    std::vector<Sentinel> sentinels;
    for (auto& [text, reason] : table.text_map("absent")) {
        const auto absent = clinical::parse_absent(reason);
        if (text.empty() || !absent)
            reject(table, "absent", "must give a reason such as \"not-measured\" for each value");
        else
            sentinels.push_back({text, parse_number(text), *absent});
    }
    return sentinels;
}

// `allowed`: what the right side may be.
template <typename Allowed>
UnitSpellings read_units(Table& table, Allowed allowed) {
    auto units = table.text_map("units");
    for (const auto& [spelling, ucum] : units) {
        if (spelling.empty() || !allowed(ucum))
            reject(table, "units", fmt::format("gives \"{}\", which is no unit for this", ucum));
    }
    return units;
}

std::optional<clinical::Decimal> read_factor(Table& table, std::string_view key) {
    const auto text = table.text(key, "");
    if (text.empty())
        return std::nullopt;
    const auto number = parse_number(text);
    if (!number || number->mantissa == 0 || (key == "rate" && number->mantissa < 0))
        reject(table, key, "must be a number in quotes, and not zero");
    return number;
}

// What the code is called in our records.
void read_meaning(Table& table, DialectCode& code) {
    const auto means = table.text("means", "");
    code.own_name = table.text("publish_as", "");
    if (means.empty() == code.own_name.empty()) {
        reject(table, "means", "or publish_as must be given, and only one of the two");
        return;
    }
    if (!means.empty()) {
        code.entry = clinical::find_code(means);
        if (code.entry == nullptr)
            reject(table, "means", "is none of the reference ids that Mitral knows");
        return;
    }
    // A reference id of the standard is not a name that somebody gives away.
    if (!clinical::is_identifier(code.own_name) || code.own_name.starts_with("MDC_"))
        reject(table, "publish_as", "must be 1 to 64 of [A-Za-z0-9._:-], and no MDC_ name");
}

void read_code_units(Table& table, DialectCode& code) {
    const auto allowed = [&](std::string_view ucum) {
        if (code.entry != nullptr)
            return clinical::find_unit(*code.entry, ucum) != nullptr;
        return clinical::is_unit(ucum) && clinical::ucum_for_misspelling(ucum).empty();
    };
    code.units = read_units(table, allowed);
    code.unit = table.text("unit", "");
    if (!code.unit.empty() && !allowed(code.unit))
        reject(table, "unit", "is no unit for this, or not written in UCUM");
    if (code.entry == nullptr && code.unit.empty() && code.units.empty())
        reject(table, "unit", "or units must be given for a name of your own");
}

DialectCode read_code(Table& table, const std::string& system) {
    DialectCode code;
    code.system = table.text("system", system);
    code.id = table.text("id", "");
    code.name = table.text("name", "");
    if (code.id.empty() && code.name.empty())
        reject(table, "id", "or name must be given");
    read_meaning(table, code);
    read_code_units(table, code);
    code.absent = read_absent(table);
    code.zero = read_zero(table);
    code.rate = read_factor(table, "rate");
    code.scale = read_factor(table, "scale");
    return code;
}

bool is_ambiguous(const DialectCode& one, const DialectCode& other) {
    if (one.system != other.system)
        return false;
    const bool same_id = !one.id.empty() && one.id == other.id;
    return same_id || (one.id.empty() && other.id.empty() && one.name == other.name);
}

base::Status read_codes(Table& table, const std::string& system, Dialect& dialect) {
    for (auto& entry : table.tables("code")) {
        auto code = read_code(entry, system);
        const auto twice = std::ranges::find_if(
            dialect.codes, [&](const DialectCode& known) { return is_ambiguous(known, code); });
        if (twice != dialect.codes.end())
            reject(entry, code.id.empty() ? "name" : "id", "stands in the table twice");
        if (dialect.codes.size() == max_codes)
            reject(entry, "id", "is beyond the 4096 codes a table may have");
        MITRAL_CHECK(entry.finish());
        dialect.codes.push_back(std::move(code));
    }
    return {};
}

base::Result<Dialect> read_dialect(const base::Config& config, std::string_view name) {
    const auto names = config.names();
    if (names != std::vector<std::string>{"dialect"})
        return base::fail(
            base::BaseError::invalid_setting,
            fmt::format("{}: a code table has [dialect] and [[dialect.code]], and nothing else{}",
                        name, see));
    auto table = config.table("dialect");
    Dialect dialect;
    dialect.name = table.required_text("name");
    const auto system = table.text("system", "");
    const auto control_id = table.text("control_id", "");
    dialect.control_id_is_type = control_id == "message-type";
    if (!control_id.empty() && !dialect.control_id_is_type)
        reject(table, "control_id", "must be \"message-type\", or be left out");
    dialect.units = read_units(table, [](std::string_view ucum) { return ucum_of(ucum) == ucum; });
    dialect.absent = read_absent(table);
    dialect.zero = read_zero(table);
    MITRAL_CHECK(read_codes(table, system, dialect));
    MITRAL_CHECK(table.finish());
    dialect.index_codes();
    return dialect;
}

}  // namespace

base::Result<Dialect> parse_code_table(std::string_view text, std::string_view name) {
    MITRAL_TRY(const auto config, base::Config::parse(text, name));
    return read_dialect(config, name);
}

base::Result<Dialect> load_code_table(const std::string& path) {
    MITRAL_TRY(const auto config, base::Config::load(path));
    return read_dialect(config, path);
}

}  // namespace mitral::intake::hl7
