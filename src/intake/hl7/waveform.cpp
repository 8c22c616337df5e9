#include "intake/hl7/waveform.hpp"

#include <limits>

#include "clinical/record.hpp"
#include "intake/hl7/number.hpp"

namespace mitral::intake::hl7 {
namespace {

using clinical::Decimal;

// More holes than this are no waveform any more.
constexpr std::size_t most_pieces = 64;

std::unexpected<KeptOut> kept_out(std::string_view why) {
    return std::unexpected(KeptOut{&NotUnderstood::waves, why});
}

// Samples are counts; so says this unit, which is that of what they mean only where nothing else
// is.
constexpr std::string_view count = "1";

// The unit of the resolution, or of the samples; they have to agree.
std::expected<std::string_view, KeptOut> unit_of(const UnitMatch& of_step,
                                                 const UnitMatch& of_samples,
                                                 const Parameter& parameter) {
    using enum UnitMatch::Verdict;
    const auto bad_unit = [](std::string_view why) {
        return std::unexpected(KeptOut{&NotUnderstood::units, why});
    };
    for (const auto* unit : {&of_step, &of_samples}) {
        if (unit->verdict == conflicting || unit->verdict == unknown)
            return bad_unit("its unit is in no table, or means two things");
    }
    const auto allowed = [&](std::string_view ucum) -> std::expected<std::string_view, KeptOut> {
        const auto own = parameter.allowed(ucum);
        return own.empty() ? bad_unit("its unit is none of its code's")
                           : std::expected<std::string_view, KeptOut>(own);
    };
    const auto says_unit = [](const UnitMatch& unit) {
        return unit.verdict == found && unit.ucum != count;
    };
    if (says_unit(of_step)) {
        if (says_unit(of_samples) && of_samples.ucum != of_step.ucum)
            return bad_unit("samples and resolution have different units");
        return allowed(of_step.ucum);
    }
    if (says_unit(of_samples))
        return allowed(of_samples.ucum);
    if (of_step.verdict == found || !parameter.allowed(of_samples.ucum).empty())
        return allowed(count);
    const auto implied = parameter.implied_unit();
    return implied.empty() ? bad_unit("it has no unit, and its code has several")
                           : std::expected<std::string_view, KeptOut>(implied);
}

std::optional<Decimal> scale_of(const WaveFacts& facts, const Parameter& parameter,
                                int decimals) noexcept {
    auto scale = facts.step.number;
    if (!scale && parameter.own != nullptr)
        scale = parameter.own->scale;
    if (scale && facts.correction.number)
        scale = product(*scale, *facts.correction.number);
    if (!scale || scale->mantissa == 0 || !clinical::is_valid(*scale))
        return std::nullopt;
    return decimals == 0 ? scale : product(*scale, {1, static_cast<std::int8_t>(-decimals)});
}

std::optional<Decimal> rate_of(const WaveFacts& facts, const Parameter& parameter) noexcept {
    auto rate = facts.rate.number;
    if (!rate && parameter.own != nullptr)
        rate = parameter.own->rate;
    return rate && rate->mantissa > 0 && clinical::is_valid(*rate) ? rate : std::nullopt;
}

// The baseline is the sample that means zero.
bool subtract_baseline(Samples& samples, std::int64_t baseline) noexcept {
    if (baseline == 0)
        return true;
    if (samples.decimals != 0)
        return false;
    for (auto& value : samples.values) {
        const auto shifted = std::int64_t{value} - baseline;
        if (shifted < std::numeric_limits<std::int32_t>::min() ||
            shifted > std::numeric_limits<std::int32_t>::max())
            return false;
        value = static_cast<std::int32_t>(shifted);
    }
    return true;
}

}  // namespace

std::optional<base::WallTime> after(base::WallTime time, std::size_t samples,
                                    Decimal rate) noexcept {
    // samples × 1000 / (mantissa × 10^exponent)
    __extension__ using Wide = __int128;
    Wide numerator = static_cast<Wide>(samples) * 1000;
    Wide denominator = rate.mantissa;
    for (int e = rate.exponent; e < 0; ++e)
        numerator *= 10;
    for (int e = rate.exponent; e > 0; --e)
        denominator *= 10;
    const Wide shifted = numerator / denominator + time.ms;
    if (shifted > clinical::latest_time.ms)
        return std::nullopt;
    return base::WallTime{static_cast<std::int64_t>(shifted)};
}

std::expected<std::vector<WavePiece>, KeptOut> make_waveforms(
    Samples samples, const WaveFacts& facts, const UnitMatch& unit_of_samples,
    const Parameter& parameter, const WaveStart& start, std::uint16_t index) {
    const auto unit = unit_of(facts.unit, unit_of_samples, parameter);
    if (!unit)
        return std::unexpected(unit.error());
    if (facts.is_unreadable())
        return kept_out("a rate, resolution, calibration or INOP value that is none");
    const auto rate = rate_of(facts, parameter);
    if (!rate)
        return kept_out("no sample rate");
    const auto scale = scale_of(facts, parameter, samples.decimals);
    if (!scale)
        return kept_out("no resolution");
    if (!subtract_baseline(samples, *facts.baseline))
        return kept_out("a baseline that cannot be subtracted");
    const auto runs = runs_of(samples);
    if (runs.empty())
        return kept_out("no valid sample");
    if (runs.size() > most_pieces)
        return kept_out("more than 64 pieces");
    if (!start.time && (runs.size() > 1 || runs[0].first != 0))
        return kept_out("missing samples, and no time to say where");
    std::vector<WavePiece> pieces;
    for (const auto& run : runs) {
        WavePiece piece{{index,
                         parameter.mdc(),
                         std::string(parameter.name()),
                         std::string(*unit),
                         *rate,
                         *scale,
                         {}},
                        start.time};
        const auto first = samples.values.begin() + static_cast<std::ptrdiff_t>(run.first);
        piece.wave.samples.assign(first, first + static_cast<std::ptrdiff_t>(run.count));
        if (start.time) {
            const auto time = after(start.time->instant, start.samples_later + run.first, *rate);
            if (!time)
                return kept_out("a time that cannot be written");
            piece.time->instant = *time;
        }
        pieces.push_back(std::move(piece));
    }
    return pieces;
}

}  // namespace mitral::intake::hl7
