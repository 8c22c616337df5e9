#include "intake/hl7/wave_reader.hpp"

#include <algorithm>
#include <optional>

#include "intake/hl7/units.hpp"

namespace mitral::intake::hl7 {

using Verdict = ParameterMatch::Verdict;

// A channel is named by the code of its definition, by its name, and by the code of its samples
// where these are of one channel only. All that mean something have to mean the same.
std::expected<Parameter, KeptOut> WaveReader::parameter_of(const ObservationRow& row,
                                                           const WaveFacts& facts,
                                                           bool only_channel) const {
    std::optional<Parameter> parameter;
    bool conflicting = false;
    const auto consider = [&](const ParameterMatch& match) {
        conflicting |= match.verdict == Verdict::conflicting;
        if (match.verdict != Verdict::found)
            return;
        conflicting |= parameter && !parameter->same_as(match.parameter);
        parameter = match.parameter;
    };
    const auto ucum = facts.unit.ucum;
    if (facts.identifier)
        consider(read_parameter(*facts.identifier, dialect_, ucum));
    if (!facts.name.empty())
        consider(read_parameter_name(facts.name, dialect_));
    if (only_channel)
        consider(read_parameter(row.identifier(), dialect_, ucum));
    if (conflicting)
        return std::unexpected(
            KeptOut{&NotUnderstood::conflicting_codes, "its code means two different things"});
    if (!parameter)
        return std::unexpected(KeptOut{&NotUnderstood::codes, "its code is in no table"});
    return *parameter;
}

std::expected<std::vector<WavePiece>, KeptOut> WaveReader::read_channel(
    const ObservationRow& row, const Samples& samples, const WaveFacts& facts, bool only_channel,
    const std::optional<DeviceTime>& start, std::size_t before) const {
    const auto parameter = parameter_of(row, facts, only_channel);
    if (!parameter)
        return std::unexpected(parameter.error());
    const auto unit = read_unit(row.unit(), dialect_, parameter->own);
    return make_waveforms(samples, facts, unit, *parameter, {start, before}, row.index());
}

WaveReader::Position WaveReader::pass(const ObservationRow& row, std::size_t order,
                                      std::size_t channels) {
    waves_ += channels;
    auto& position =
        positions_.try_emplace(std::pair(order, row.sub_id()), std::size_t{0}).first->second;
    const auto before = position;
    const auto samples = count_samples(row.value());
    if (samples % channels != 0 || row.value().empty())
        position = std::nullopt;
    else if (position)
        *position += samples / channels;
    return before;
}

void WaveReader::pass_over(const ObservationRow& row, std::size_t order) {
    const auto channels = facts_.channels_of(row, order);
    (void)pass(row, order, std::max<std::size_t>(channels.size(), 1));
}

WaveReader::Waves WaveReader::read(const ObservationRow& row, std::size_t order,
                                   const std::optional<DeviceTime>& start, bool start_of_channel) {
    Waves waves;
    const auto keep_out = [&](const KeptOut& why) { waves.kept_out.push_back(why); };
    const auto channels = facts_.channels_of(row, order);
    const auto count = std::max<std::size_t>(channels.size(), 1);
    const auto position = pass(row, order, count);
    const bool in_turns = row.type() == "MA";
    if (in_turns ? !has_width(row.value(), count) : count > 1) {
        keep_out({&NotUnderstood::waves, "not as many samples as channels"});
        return waves;
    }
    if (start_of_channel && !position) {
        keep_out({&NotUnderstood::waves, "nobody can say how long the rows before it are"});
        return waves;
    }
    const auto facts = channels.empty() ? std::vector{facts_.facts_of(row, order)} : channels;
    const auto& inop = facts[0].inop.number;
    const auto all =
        read_samples(row.value(), inop ? std::optional(static_cast<std::int32_t>(inop->mantissa))
                                       : std::nullopt);
    if (!all) {
        keep_out(all.error());
        return waves;
    }
    const auto before = start_of_channel ? *position : 0;
    for (std::size_t channel = 0; channel < count; ++channel) {
        auto pieces = read_channel(row, count == 1 ? *all : channel_of(*all, channel, count),
                                   facts[channel], count == 1, start, before);
        if (!pieces)
            keep_out(pieces.error());
        else
            std::ranges::move(*pieces, std::back_inserter(waves.pieces));
    }
    return waves;
}

}  // namespace mitral::intake::hl7
