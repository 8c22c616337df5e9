#include "intake/hl7/wave_facts.hpp"

#include <algorithm>
#include <limits>
#include <tuple>

#include "intake/hl7/number.hpp"
#include "intake/hl7/triplets.hpp"

namespace mitral::intake::hl7 {
namespace {

constexpr std::size_t most_facts = 64;  // of one wave

std::string_view reference_id(const ObservationRow& row) noexcept {
    const auto name = trimmed(row.identifier().component(2).raw());
    return name.starts_with("MDC_") ? name : trimmed(row.identifier().component(1).raw());
}

// "TIM", "CHN", "WAV": a suffix of OBX-3.1, or all of it.
bool has_suffix(const ObservationRow& row, std::string_view suffix) noexcept {
    const auto id = row.identifier().component(1);
    return id.subcomponent(2).raw() == suffix || id.raw() == suffix;
}

std::optional<std::int32_t> whole_number(std::string_view text) noexcept {
    const auto number = parse_number(text);
    if (!number || number->exponent != 0 ||
        number->mantissa < std::numeric_limits<std::int32_t>::min() ||
        number->mantissa > std::numeric_limits<std::int32_t>::max())
        return std::nullopt;
    return static_cast<std::int32_t>(number->mantissa);
}

}  // namespace

bool is_wave_fact(const ObservationRow& row) noexcept {
    if (row.type() == "CD" || has_suffix(row, "TIM"))
        return true;
    const auto name = reference_id(row);
    return name.starts_with("MDC_ATTR_") || name == "MDC_EVT_INOP";
}

std::optional<WaveFactsOfMessage::Kind> WaveFactsOfMessage::kind_of(
    const ObservationRow& row) noexcept {
    if (row.type() == "CD")
        return Kind::channel;
    if (has_suffix(row, "TIM"))
        return Kind::start;
    const auto name = reference_id(row);
    if (name == "MDC_ATTR_SAMP_RATE")
        return Kind::rate;
    if (name == "MDC_ATTR_NU_MSMT_RES")
        return Kind::resolution;
    return name == "MDC_EVT_INOP" ? std::optional(Kind::inop) : std::nullopt;
}

WaveFactsOfMessage::WaveFactsOfMessage(const Message& message, const Dialect* dialect)
    : dialect_(dialect) {
    std::size_t order = 0;
    std::uint16_t position = 0;  // of an OBX; the later of two equal facts counts
    for (const auto& segment : message.segments()) {
        if (segment.name() == "OBR")
            ++order;
        if (segment.name() != "OBX")
            continue;
        const ObservationRow row(segment, message.delimiters(), position++);
        if (const auto kind = kind_of(row))
            facts_.push_back({order, row.sub_id(), *kind, row});
    }
    std::ranges::sort(facts_, {}, [](const Fact& fact) {
        return std::tuple(fact.order, fact.sub_id, fact.row.index());
    });
}

template <typename Take>
void WaveFactsOfMessage::for_each_of(std::size_t order, std::string_view sub_id, Take take) const {
    std::string below(sub_id);
    below.push_back('.');
    const auto walk = [&](std::string_view from, bool within) {
        auto fact = std::ranges::lower_bound(
            facts_, std::tuple(order, from), {},
            [](const Fact& item) { return std::tuple(item.order, item.sub_id); });
        for (std::size_t left = most_facts; left > 0 && fact != facts_.end(); --left, ++fact) {
            if (fact->order != order ||
                (within ? !fact->sub_id.starts_with(from) : fact->sub_id != from))
                break;
            take(*fact);
        }
    };
    walk(sub_id, false);
    if (!sub_id.empty())
        walk(below, true);
}

WaveFacts WaveFactsOfMessage::facts_of(const ObservationRow& row, std::size_t order) const {
    WaveFacts facts;
    // Samples without a sub-id have no facets: nothing would say whose they are.
    if (row.sub_id().empty())
        return facts;
    for_each_of(order, row.sub_id(), [&](const Fact& fact) {
        const auto text = fact.row.value().raw();
        const auto unit = read_unit(fact.row.unit(), dialect_, nullptr);
        switch (fact.kind) {
            case Kind::rate:
                if (unit.ucum == "/s" || unit.ucum == "Hz")
                    facts.rate = parse_number(text);
                break;
            case Kind::resolution:
                facts.scale = parse_number(text);
                facts.unit = unit;
                break;
            case Kind::inop:
                facts.inop = whole_number(text);
                break;
            case Kind::channel:
            case Kind::start:
                break;
        }
    });
    return facts;
}

// CD: number & name ^ electrodes ^ sensitivity & unit … ^ correction & baseline & skew ^ rate ^ …
WaveFacts WaveFactsOfMessage::channel(const ObservationRow& row, const WaveFacts& before) const {
    WaveFacts facts = before;
    const auto value = row.value();
    facts.name = trimmed(value.component(1).subcomponent(2).raw());
    facts.identifier = row.identifier();
    if (const auto sensitivity = value.component(3); !sensitivity.empty()) {
        facts.scale = parse_number(sensitivity.subcomponent(1).raw());
        facts.unit = read_unit(sensitivity.subcomponent(2), dialect_, nullptr);
        if (facts.unit.verdict != UnitMatch::Verdict::found)
            facts.unit = read_unit(sensitivity.subcomponent(3), dialect_, nullptr);
    }
    if (const auto calibration = value.component(4); !calibration.empty()) {
        const auto correction = calibration.subcomponent(1);
        const auto baseline = calibration.subcomponent(2);
        const auto skew = calibration.subcomponent(3);
        const auto factor = parse_number(correction.raw());
        if (!correction.empty() && facts.scale)
            facts.scale = factor ? product(*facts.scale, *factor) : std::nullopt;
        const auto zero = baseline.empty() ? std::optional(0) : whole_number(baseline.raw());
        facts.baseline = zero.value_or(0);
        // What cannot be used is not passed over: the wave would be shifted.
        const auto shift = parse_number(skew.raw());
        if (!zero || (!skew.empty() && (!shift || shift->mantissa != 0)))
            facts.scale = std::nullopt;
    }
    if (const auto rate = value.component(5); !rate.empty())
        facts.rate = parse_number(rate.raw());
    return facts;
}

std::vector<WaveFacts> WaveFactsOfMessage::channels_of(const ObservationRow& row,
                                                       std::size_t order) const {
    std::vector<WaveFacts> channels;
    for_each_of(order, row.sub_id(), [&](const Fact& fact) {
        if (fact.kind == Kind::channel && fact.sub_id == row.sub_id())
            channels.push_back(channel(fact.row, channels.empty() ? WaveFacts{} : channels.back()));
    });
    return channels;
}

std::string_view WaveFactsOfMessage::start_of(const ObservationRow& row, std::size_t order) const {
    std::string_view start;
    for_each_of(order, row.sub_id(), [&](const Fact& fact) {
        if (fact.kind == Kind::start && fact.sub_id == row.sub_id())
            start = fact.row.value().component(1).raw();
    });
    return start;
}

}  // namespace mitral::intake::hl7
