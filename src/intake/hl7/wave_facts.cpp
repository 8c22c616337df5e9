#include "intake/hl7/wave_facts.hpp"

#include <algorithm>
#include <limits>
#include <tuple>

#include "intake/hl7/number.hpp"
#include "intake/hl7/triplets.hpp"

namespace mitral::intake::hl7 {
namespace {

using clinical::Decimal;

constexpr std::size_t most_facts = 64;      // of one wave
constexpr std::size_t longest_text = 1024;  // of a definition, or of a unit

std::string_view reference_id(const ObservationRow& row) noexcept {
    const auto name = trimmed(row.identifier().component(2).raw());
    return name.starts_with("MDC_") ? name : trimmed(row.identifier().component(1).raw());
}

// "TIM", "CHN", "WAV": a suffix of OBX-3.1, or all of it.
bool has_suffix(const ObservationRow& row, std::string_view suffix) noexcept {
    const auto id = row.identifier().component(1);
    return id.subcomponent(2).raw() == suffix || id.raw() == suffix;
}

std::optional<Decimal> whole_number(std::string_view text) noexcept {
    const auto number = parse_number(text);
    if (!number || number->exponent != 0 ||
        number->mantissa < std::numeric_limits<std::int32_t>::min() ||
        number->mantissa > std::numeric_limits<std::int32_t>::max())
        return std::nullopt;
    return number;
}

}  // namespace

bool begins_order(const Segment& segment) noexcept {
    const auto name = segment.name();
    return name == "OBR" || name == "PID" || name == "PV1";
}

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
        order += begins_order(segment) ? 1U : 0U;
        if (segment.name() != "OBX")
            continue;
        const ObservationRow row(segment, message.delimiters(), position++);
        if (const auto kind = kind_of(row))
            facts_.push_back(read(row, *kind, order));
    }
    std::ranges::sort(facts_, {}, [](const Fact& fact) {
        return std::tuple(fact.order, fact.sub_id, fact.index);
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
        if (fact.kind == Kind::rate && fact.says.rate.stated)
            facts.rate = fact.says.rate;
        if (fact.says.inop.stated)
            facts.inop = fact.says.inop;
        if (fact.kind == Kind::resolution && fact.says.step.stated) {
            facts.step = fact.says.step;
            facts.unit = fact.says.unit;
        }
    });
    return facts;
}

WaveFactsOfMessage::Fact WaveFactsOfMessage::read(const ObservationRow& row, Kind kind,
                                                  std::size_t order) const {
    Fact fact{order, row.sub_id(), row.index(), kind, {}, {}};
    const auto value = row.value();
    if (kind == Kind::start)
        fact.start = value.component(1).raw();
    if (kind == Kind::channel) {
        read_channel(row, fact);
        return fact;
    }
    const auto text = value.raw();
    if (text.empty() || value.is_null())
        return fact;
    const auto is_short = row.unit().raw().size() <= longest_text;
    const auto unit = is_short ? read_unit(row.unit(), dialect_, nullptr) : UnitMatch{};
    const bool per_second = unit.ucum == "/s" || unit.ucum == "Hz";
    if (kind == Kind::rate)
        fact.says.rate = {true, per_second ? parse_number(text) : std::nullopt};
    if (kind == Kind::inop)
        fact.says.inop = {true, whole_number(text)};
    if (kind == Kind::resolution) {
        fact.says.step = {true, is_short ? parse_number(text) : std::nullopt};
        fact.says.unit = unit;
    }
    return fact;
}

// CD: number & name ^ electrodes ^ sensitivity & unit … ^ correction & baseline & skew ^ rate ^ …
void WaveFactsOfMessage::read_channel(const ObservationRow& row, Fact& fact) const {
    auto& says = fact.says;
    const auto value = row.value();
    if (value.raw().size() > longest_text || row.identifier().raw().size() > longest_text) {
        says.baseline = std::nullopt;
        fact.has_calibration = true;
        return;
    }
    says.name = trimmed(value.component(1).subcomponent(2).raw());
    says.identifier = row.identifier();
    if (const auto sensitivity = value.component(3); !sensitivity.empty()) {
        fact.has_sensitivity = true;
        says.step = {true, parse_number(sensitivity.subcomponent(1).raw())};
        says.unit = read_unit(sensitivity.subcomponent(2), dialect_, nullptr);
        if (says.unit.verdict != UnitMatch::Verdict::found)
            says.unit = read_unit(sensitivity.subcomponent(3), dialect_, nullptr);
    }
    if (const auto calibration = value.component(4); !calibration.empty()) {
        fact.has_calibration = true;
        const auto correction = calibration.subcomponent(1);
        const auto baseline = calibration.subcomponent(2);
        const auto skew = calibration.subcomponent(3);
        says.correction = {!correction.empty(), parse_number(correction.raw())};
        const auto zero = baseline.empty() ? Decimal{} : whole_number(baseline.raw());
        const auto shift = parse_number(skew.raw());
        // What cannot be used is not passed over: the wave would be shifted.
        const bool is_skewed = !skew.empty() && (!shift || shift->mantissa != 0);
        says.baseline = zero && !is_skewed ? std::optional(zero->mantissa) : std::nullopt;
    }
    if (const auto rate = value.component(5); !rate.empty())
        says.rate = {true, parse_number(rate.raw())};
}

// What a definition leaves out is that of the channel before.
std::vector<WaveFacts> WaveFactsOfMessage::channels_of(const ObservationRow& row,
                                                       std::size_t order) const {
    std::vector<WaveFacts> channels;
    for_each_of(order, row.sub_id(), [&](const Fact& fact) {
        if (fact.kind != Kind::channel || fact.sub_id != row.sub_id())
            return;
        auto facts = channels.empty() ? WaveFacts{} : channels.back();
        facts.name = fact.says.name;
        facts.identifier = fact.says.identifier;
        if (fact.has_sensitivity) {
            facts.step = fact.says.step;
            facts.unit = fact.says.unit;
        }
        if (fact.has_calibration) {
            facts.correction = fact.says.correction;
            facts.baseline = fact.says.baseline;
        }
        if (fact.says.rate.stated)
            facts.rate = fact.says.rate;
        channels.push_back(facts);
    });
    // The sample for "none" may be a facet even where all else is a definition.
    if (!channels.empty()) {
        const auto inop = facts_of(row, order).inop;
        for (auto& channel : channels)
            channel.inop = inop;
    }
    return channels;
}

std::string_view WaveFactsOfMessage::start_of(const ObservationRow& row, std::size_t order) const {
    std::string_view start;
    for_each_of(order, row.sub_id(), [&](const Fact& fact) {
        if (fact.kind == Kind::start && fact.sub_id == row.sub_id())
            start = fact.start;
    });
    return start;
}

}  // namespace mitral::intake::hl7
