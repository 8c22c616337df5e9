#include "intake/hl7/special_values.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "intake/hl7/number.hpp"

namespace mitral::intake::hl7 {
namespace {

using clinical::Absent;
using clinical::Decimal;

// FLOAT specials, as a number that was read with or without its sign.
constexpr auto float_specials = std::to_array<std::pair<std::int64_t, Absent>>({
    {8'388'607, Absent::not_a_number},   // NaN, 0x7FFFFF
    {8'388'606, Absent::above_range},    // +INFINITY, 0x7FFFFE
    {8'388'608, Absent::not_measured},   // NRes, 0x800000
    {-8'388'608, Absent::not_measured},  //
    {8'388'610, Absent::below_range},    // -INFINITY, 0x800002
    {-8'388'606, Absent::below_range},   //
    {8'388'609, Absent::unknown},        // reserved, 0x800001
    {-8'388'607, Absent::unknown},       //
});

// No temperature, no pressure of blood or air and nothing that cannot be negative is any of these,
// in whatever unit.
constexpr std::array far_sentinels{Decimal{-999, -1},   Decimal{-100, 0},   Decimal{-999, 0},
                                   Decimal{-9999, -1},  Decimal{-9999, 0},  Decimal{-10'000, 0},
                                   Decimal{-32'768, 0}, Decimal{32'767, 0}, Decimal{-99'999, 0}};

enum class Range : std::uint8_t {
    any,           // a potential, or a parameter that we know nothing of
    signed_value,  // -1 can be measured
    not_negative,  // 0 can be measured
    positive,      // neither
};

// What zero and minus one can be. Temperatures are of a body: 0 °C is a probe that lies in no one,
// and -1 °C, which a probe can measure, is left to the dialect.
constexpr auto ranges = std::to_array<std::pair<std::string_view, Range>>({
    {"MDC_CO2_RESP_RATE", Range::not_negative},
    {"MDC_CONC_AWAY_CO2_ET", Range::not_negative},
    {"MDC_CONC_AWAY_CO2_EXP", Range::not_negative},
    {"MDC_CONC_GLU_CAPILLARY_WHOLEBLOOD", Range::positive},
    {"MDC_CONC_GLU_ISF", Range::positive},
    {"MDC_ECG_HEART_RATE", Range::not_negative},
    {"MDC_LEN_BODY_ACTUAL", Range::positive},
    {"MDC_MASS_BODY_ACTUAL", Range::positive},
    {"MDC_PRESS_BLD_ART_ABP_DIA", Range::signed_value},
    {"MDC_PRESS_BLD_ART_ABP_MEAN", Range::signed_value},
    {"MDC_PRESS_BLD_ART_ABP_SYS", Range::signed_value},
    {"MDC_PRESS_BLD_ART_DIA", Range::signed_value},
    {"MDC_PRESS_BLD_ART_MEAN", Range::signed_value},
    {"MDC_PRESS_BLD_ART_SYS", Range::signed_value},
    {"MDC_PRESS_BLD_NONINV_DIA", Range::positive},
    {"MDC_PRESS_BLD_NONINV_MEAN", Range::positive},
    {"MDC_PRESS_BLD_NONINV_SYS", Range::positive},
    {"MDC_PRESS_BLD_VEN_CENT_MEAN", Range::signed_value},
    {"MDC_PRESS_CUFF_DIA", Range::positive},
    {"MDC_PRESS_CUFF_MEAN", Range::positive},
    {"MDC_PRESS_CUFF_SYS", Range::positive},
    {"MDC_PULS_OXIM_PERF_REL", Range::not_negative},
    {"MDC_PULS_OXIM_PULS_RATE", Range::not_negative},
    {"MDC_PULS_OXIM_SAT_O2", Range::positive},
    {"MDC_PULS_RATE_NON_INV", Range::positive},
    {"MDC_RATIO_MASS_BODY_LEN_SQ", Range::positive},
    {"MDC_RESP_RATE", Range::not_negative},
    {"MDC_TEMP", Range::signed_value},
    {"MDC_TEMP_BODY", Range::signed_value},
    {"MDC_TEMP_CORE", Range::signed_value},
    {"MDC_TEMP_SKIN", Range::signed_value},
    {"MDC_TEMP_TYMP", Range::signed_value},
    {"MDC_TTHOR_RESP_RATE", Range::not_negative},
});
static_assert(std::ranges::is_sorted(ranges, {}, &std::pair<std::string_view, Range>::first));

Range range_of(const Parameter& parameter) noexcept {
    if (parameter.entry == nullptr)
        return Range::any;
    const auto name = parameter.entry->name;
    const auto at =
        std::ranges::lower_bound(ranges, name, {}, &std::pair<std::string_view, Range>::first);
    return at != ranges.end() && at->first == name ? at->second : Range::any;
}

std::optional<Absent> float_special(Decimal value) noexcept {
    const auto found = std::ranges::find_if(float_specials, [&](const auto& special) {
        return same_number(value, Decimal{special.first, 0});
    });
    return found != float_specials.end() ? std::optional(found->second) : std::nullopt;
}

bool zero_is_absent(const Parameter& parameter, Range range, const Dialect* dialect) noexcept {
    auto rule = dialect != nullptr ? dialect->zero : ZeroRule::by_code;
    if (parameter.own != nullptr && parameter.own->zero != ZeroRule::by_code)
        rule = parameter.own->zero;
    if (rule != ZeroRule::by_code)
        return rule == ZeroRule::absent;
    return range == Range::positive ||
           (range == Range::signed_value && parameter.name().starts_with("MDC_TEMP"));
}

std::optional<Absent> among(std::span<const Sentinel> sentinels, std::string_view text,
                            const std::optional<Decimal>& number) noexcept {
    for (const auto& sentinel : sentinels) {
        const bool same = sentinel.number && number ? same_number(*sentinel.number, *number)
                                                    : sentinel.text == text;
        if (same)
            return sentinel.reason;
    }
    return std::nullopt;
}

}  // namespace

std::optional<Absent> said_absent(std::string_view text, const Dialect* dialect,
                                  const DialectCode* code) noexcept {
    const bool has_own = code != nullptr && !code->absent.empty();
    const bool has_common = dialect != nullptr && !dialect->absent.empty();
    if (!has_own && !has_common)
        return std::nullopt;
    const auto number = parse_number(text);
    if (has_own) {
        if (const auto reason = among(code->absent, text, number))
            return reason;
    }
    return has_common ? among(dialect->absent, text, number) : std::nullopt;
}

Judgement judge(Decimal value, const Parameter& parameter, const Dialect* dialect) noexcept {
    const auto range = range_of(parameter);
    if (value.mantissa == 0) {
        return zero_is_absent(parameter, range, dialect)
                   ? Judgement{Plausibility::no_value, Absent::not_measured}
                   : Judgement{};
    }
    if (parameter.entry == nullptr)
        return {};
    // Nearly every value is measured: no special is a small positive number.
    if (value.mantissa > 0 && value.mantissa < 32'767)
        return {};
    if (const auto special = float_special(value))
        return {Plausibility::no_value, *special};
    if (range == Range::any)
        return {};
    const auto is = [&](Decimal sentinel) { return same_number(value, sentinel); };
    const bool sentinel =
        std::ranges::any_of(far_sentinels, is) || (range != Range::signed_value && is({-1, 0}));
    if (sentinel)
        return {Plausibility::no_value, Absent::not_measured};
    const bool impossible = value.mantissa < 0 && range != Range::signed_value;
    return impossible ? Judgement{Plausibility::impossible, {}} : Judgement{};
}

bool is_special_sample(std::int32_t sample) noexcept {
    if (sample > -32'768 && sample < 32'767)
        return false;
    return sample == 32'767 || sample == -32'768 ||
           std::ranges::any_of(float_specials,
                               [&](const auto& special) { return special.first == sample; });
}

}  // namespace mitral::intake::hl7
