// What a monitor's message costs: text to readings, without sockets and disk.
#include <benchmark/benchmark.h>

#include <string>

#include "intake/hl7/interpreter.hpp"

namespace {

using namespace mitral;
using namespace mitral::intake::hl7;

// One report of twelve parameters, as a bed sends every second.
std::string vitals() {
    std::string text =
        "MSH|^~\\&|MONITOR^0123456789ABCDEF^EUI-64|WARD|GATEWAY|HOSPITAL|20260101100000+0100||"
        "ORU^R01^ORU_R01|42|P|2.6|||NE|AL||UNICODE UTF-8\rPID|||7^^^WARD^MR||Doe^Jane\r"
        "PV1||I|ICU^^7\rOBR|1|||182777000^monitoring of patient^SCT|||20260101100000+0100\r";
    const auto row = [&](const char* code, const char* value, const char* unit) {
        text.append("OBX|1|NM|").append(code).append("^MDC|1.1.1.1|").append(value).append("|");
        text.append(unit).append("^MDC|||||R|||20260101100000+0100||||0123456789ABCDEF^^EUI-64\r");
    };
    row("147842^MDC_ECG_HEART_RATE", "72", "264864^MDC_DIM_BEAT_PER_MIN");
    row("149530^MDC_PULS_OXIM_PULS_RATE", "72", "264864^MDC_DIM_BEAT_PER_MIN");
    row("150456^MDC_PULS_OXIM_SAT_O2", "97.5", "262688^MDC_DIM_PERCENT");
    row("150448^MDC_PULS_OXIM_PERF_REL", "2.2", "262688^MDC_DIM_PERCENT");
    row("151562^MDC_RESP_RATE", "16", "264928^MDC_DIM_RESP_PER_MIN");
    row("150021^MDC_PRESS_BLD_NONINV_SYS", "121", "266016^MDC_DIM_MMHG");
    row("150022^MDC_PRESS_BLD_NONINV_DIA", "71", "266016^MDC_DIM_MMHG");
    row("150023^MDC_PRESS_BLD_NONINV_MEAN", "88", "266016^MDC_DIM_MMHG");
    row("150033^MDC_PRESS_BLD_ART_SYS", "119", "266016^MDC_DIM_MMHG");
    row("150034^MDC_PRESS_BLD_ART_DIA", "70", "266016^MDC_DIM_MMHG");
    row("150035^MDC_PRESS_BLD_ART_MEAN", "87", "266016^MDC_DIM_MMHG");
    row("150364^MDC_TEMP_BODY", "36.80", "268192^MDC_DIM_DEGC");
    return text;
}

// Three waves of a second at 250 Hz with their facets.
std::string waves() {
    std::string text =
        "MSH|^~\\&|MONITOR^0123456789ABCDEF^EUI-64||||20260101100000+0100||ORU^R01|43|P|2.6\r"
        "OBR|1|||69121^MDC_OBS_WAVE_CTS^MDC|||20260101100000+0100\r";
    for (int channel = 1; channel <= 3; ++channel) {
        const auto place = "1.1.1." + std::to_string(channel);
        text.append("OBX|1|NA|131330^MDC_ECG_ELEC_POTL_II^MDC|").append(place).append("|0");
        for (int sample = 1; sample < 250; ++sample)
            text.append("^").append(std::to_string(sample * 37 % 400 - 200));
        text.append("|262656^MDC_DIM_DIMLESS^MDC\rOBX|2|NM|0^MDC_ATTR_SAMP_RATE^MDC|")
            .append(place);
        text.append(".1|250|264608^MDC_DIM_PER_SEC^MDC\rOBX|3|NM|2327^MDC_ATTR_NU_MSMT_RES^MDC|");
        text.append(place).append(".2|0.00488|266418^MDC_DIM_MILLI_VOLT^MDC\r");
    }
    return text;
}

void read(benchmark::State& state, const std::string& text, std::int64_t items) {
    Sender sender;
    sender.source = "icu-1";
    const Arrival arrival{{1'767'258'000'250}, base::ClockState::synchronised};
    Interpreter interpreter;
    NotUnderstood counts;
    for (auto _ : state) {
        const auto message = Message::parse(text);
        auto readings = interpreter.read(*message, sender, arrival, counts);
        if (!readings || readings->size() != 1 || counts.total() != 0)
            state.SkipWithError("not understood");
        benchmark::DoNotOptimize(readings);
    }
    state.SetItemsProcessed(state.iterations() * items);
}

void report_of_twelve_parameters(benchmark::State& state) {
    read(state, vitals(), 12);
}
BENCHMARK(report_of_twelve_parameters);

void second_of_three_waves(benchmark::State& state) {
    read(state, waves(), 750);
}
BENCHMARK(second_of_three_waves);

}  // namespace
