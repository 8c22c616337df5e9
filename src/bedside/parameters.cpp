#include "bedside/parameters.hpp"

#include <array>

namespace mitral::bedside {
namespace {

constexpr UnitName beats{"/min", 264864, "MDC_DIM_BEAT_PER_MIN", "bpm"};
constexpr UnitName breaths{"/min", 264928, "MDC_DIM_RESP_PER_MIN", "rpm"};
constexpr UnitName percent{"%", 262688, "MDC_DIM_PERCENT", "%"};
constexpr UnitName mercury{"mm[Hg]", 266016, "MDC_DIM_MMHG", "mmHg"};
constexpr UnitName pascal{"kPa", 265987, "MDC_DIM_KILO_PASCAL", "kPa"};
constexpr UnitName millivolt{"mV", 266418, "MDC_DIM_MILLI_VOLT", "mV"};
constexpr UnitName one{"1", 262656, "MDC_DIM_DIMLESS", ""};

constexpr auto numeric_table = std::to_array<Parameter>({
    {"HR [bpm]", 147842, "MDC_ECG_HEART_RATE", &beats, "1.1.1.1", 4101, "HR"},
    {"ABPSys [mmHg]", 150033, "MDC_PRESS_BLD_ART_SYS", &mercury, "1.2.1.1", 4201, "ART_S"},
    {"ABPDias [mmHg]", 150034, "MDC_PRESS_BLD_ART_DIA", &mercury, "1.2.1.2", 4202, "ART_D"},
    {"ABPMean [mmHg]", 150035, "MDC_PRESS_BLD_ART_MEAN", &mercury, "1.2.1.3", 4203, "ART_M"},
    {"PULSE [bpm]", 149530, "MDC_PULS_OXIM_PULS_RATE", &beats, "1.3.1.1", 4301, "PR"},
    {"RESP [pm]", 151562, "MDC_RESP_RATE", &breaths, "1.1.2.1", 4401, "RR"},
    {"SpO2 [%]", 150456, "MDC_PULS_OXIM_SAT_O2", &percent, "1.3.1.2", 4302, "SPO2"},
    {"NBPSys [mmHg]", 150021, "MDC_PRESS_BLD_NONINV_SYS", &mercury, "1.4.1.1", 4501, "NIBP_S",
     true},
    {"NBPDias [mmHg]", 150022, "MDC_PRESS_BLD_NONINV_DIA", &mercury, "1.4.1.2", 4502, "NIBP_D",
     true},
    {"NBPMean [mmHg]", 150023, "MDC_PRESS_BLD_NONINV_MEAN", &mercury, "1.4.1.3", 4503, "NIBP_M",
     true},
});

// The scale is 1/gain of the recording.
constexpr auto wave_table = std::to_array<Parameter>({
    {"II [mV]", 131330, "MDC_ECG_ELEC_POTL_II", &millivolt, "1.1.1.2", 4111, "ECG_II", false,
     "0.000438"},
    {"V [mV]", 131415, "MDC_ECG_ELEC_POTL_V", &millivolt, "1.1.1.3", 4112, "ECG_V", false,
     "0.000539"},
    {"PLETH [NU]", 150452, "MDC_PULS_OXIM_PLETH", &one, "1.3.1.3", 4311, "PLETH", false,
     "0.000800"},
});

// 0: a monitor that knows the name and not the number, as there are.
constexpr auto container_table = std::to_array<Container>({
    {69965, "MDC_DEV_MON_PHYSIO_MULTI_PARAM_MDS", "1.0.0.0"},
    {69798, "MDC_DEV_ECG_VMD", "1.1.0.0"},
    {0, "MDC_DEV_PRESS_BLD_VMD", "1.2.0.0"},
    {69642, "MDC_DEV_ANALY_SAT_O2_VMD", "1.3.0.0"},
});

}  // namespace

std::span<const Parameter> numerics() noexcept {
    return numeric_table;
}

std::span<const Parameter> waves() noexcept {
    return wave_table;
}

std::span<const Container> containers() noexcept {
    return container_table;
}

const UnitName& kilopascal() noexcept {
    return pascal;
}

}  // namespace mitral::bedside
