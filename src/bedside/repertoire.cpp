#include "bedside/repertoire.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "bedside/digest.hpp"

namespace mitral::bedside {
namespace {

constexpr std::string_view device_id = "0002040000ABCDEF^^0002040000ABCDEF^EUI-64";

std::string code_of(const Parameter& parameter, Codes codes) {
    if (codes == Codes::own)
        return fmt::format("{}^{}^{}", parameter.private_code, parameter.private_name,
                           private_system);
    return fmt::format("{}^{}^MDC", parameter.mdc, parameter.name);
}

std::string unit_of(const UnitName& unit, Units units) {
    switch (units) {
        case Units::mdc:
            return fmt::format("{}^{}^MDC", unit.mdc, unit.mdc_name);
        case Units::ucum:
            return fmt::format("{}^{}^UCUM^{}^{}^MDC", unit.ucum, unit.ucum, unit.mdc,
                               unit.mdc_name);
        case Units::plain:
            break;
    }
    return std::string(unit.plain);
}

// Writes the OBX of one message and notes what they promise.
class Writer {
  public:
    Writer(const Dialect& dialect, Script& script) : dialect_(dialect), script_(script) {}

    void containers() {
        for (const auto& each : bedside::containers())
            row("", fmt::format("{}^{}^MDC", each.mdc, each.name), each.place, "", "", "X");
    }

    void measurement(const Measurement& said) {
        const Parameter& parameter = *said.parameter;
        const bool convert = dialect_.kilopascal && parameter.unit->ucum == "mm[Hg]";
        const UnitName& unit = convert ? kilopascal() : *parameter.unit;
        const auto text = convert && said.measured ? to_kilopascal(said.text) : said.text;
        const bool by_status = !said.measured && dialect_.missing == Missing::status;
        time_ = parameter.cuff && dialect_.row_times ? Slot::cuff : Slot::observed;
        expect(parameter.name, unit.ucum,
               said.measured ? value_content(text) : absent_content("not-measured"));
        row("NM", code_of(parameter, dialect_.codes), place(parameter),
            said.measured ? text : missing_text(), unit_of(unit, dialect_.units),
            by_status ? "X" : "R");
    }

    void waveform(const Parameter& parameter, std::span<const std::int32_t> samples) {
        time_ = Slot::observed;
        expect(parameter.name, parameter.unit->ucum,
               wave_content(wave_rate, parameter.scale, samples));
        std::string text;
        for (const auto sample : samples)
            text.append(text.empty() ? "" : "^").append(std::to_string(sample));
        const bool own = dialect_.codes == Codes::own;
        row("NA", code_of(parameter, dialect_.codes), own ? "" : parameter.place, text,
            unit_of(*parameter.unit, dialect_.units), "R");
        if (own)
            return;  // who knows the private code knows rate and scale
        const auto facet = [&](int number) {
            return fmt::format("{}.{}", parameter.place, number);
        };
        row("NM", "0^MDC_ATTR_SAMP_RATE^MDC", facet(1), std::to_string(wave_rate),
            "264608^MDC_DIM_PER_SEC^MDC", "R");
        row("NM", "2327^MDC_ATTR_NU_MSMT_RES^MDC", facet(2), parameter.scale,
            unit_of(*parameter.unit, dialect_.units), "R");
    }

  private:
    [[nodiscard]] std::string_view place(const Parameter& parameter) const {
        return dialect_.containment ? parameter.place : std::string_view();
    }

    [[nodiscard]] std::string_view missing_text() const {
        switch (dialect_.missing) {
            case Missing::zero:
                return "0";
            case Missing::code:
                return sentinel;
            case Missing::status:
                break;
        }
        return "";
    }

    void expect(std::string_view code, std::string_view unit, const std::string& content) {
        if (std::ranges::find(script_.times, time_) == script_.times.end())
            script_.times.push_back(time_);
        script_.expected.push_back({next_, time_, digest_head(code, unit, content)});
    }

    void row(std::string_view type, std::string_view code, std::string_view sub,
             std::string_view value, std::string_view unit, std::string_view status) {
        ++next_;
        script_.segments += fmt::format("OBX|{}|{}|{}|{}|{}|{}|||||{}", next_, type, code, sub,
                                        value, unit, status);
        if (dialect_.row_times && !type.empty()) {
            script_.segments += "|||";
            script_.segments += static_cast<char>(time_);
            if (dialect_.containment)
                script_.segments.append("||||").append(device_id);
        }
        script_.segments += '\r';
    }

    const Dialect& dialect_;
    Script& script_;
    Slot time_ = Slot::observed;
    std::uint16_t next_ = 0;  // index of the OBX to come
};

Script vitals_script(const Dialect& dialect, const Minute& minute) {
    Script script;
    Writer writer(dialect, script);
    if (dialect.containment)
        writer.containers();
    for (const auto& said : minute)
        writer.measurement(said);
    return script;
}

Script wave_script(const Dialect& dialect, const Recording& recording, std::size_t from,
                   std::size_t samples) {
    Script script;
    script.lane = Lane::waves;
    script.window = base::Milliseconds(samples * 1000 / wave_rate);
    Writer writer(dialect, script);
    for (std::size_t i = 0; i < recording.channels.size(); ++i)
        writer.waveform(waves()[i], std::span(recording.channels[i]).subspan(from, samples));
    return script;
}

}  // namespace

std::string to_kilopascal(std::string_view millimetres) {
    constexpr double kpa_per_mmhg = 0.133322387415;
    return fmt::format("{:.1f}",
                       std::strtod(std::string(millimetres).c_str(), nullptr) * kpa_per_mmhg);
}

Repertoire::Repertoire(const Dialect& dialect, const Recording& recording, std::size_t samples) {
    vitals_.reserve(recording.minutes.size());
    for (const auto& minute : recording.minutes)
        vitals_.push_back(vitals_script(dialect, minute));
    if (samples == 0)
        return;
    const std::size_t recorded = recording.channels.front().size();
    for (std::size_t from = 0; from + samples <= recorded; from += samples)
        waves_.push_back(wave_script(dialect, recording, from, samples));
}

}  // namespace mitral::bedside
