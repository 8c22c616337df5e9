#include "clinical/codes.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace mitral::clinical {
namespace {

constexpr auto unverified = Evidence::unverified;

// MDC_DIM_* (partition 4).
constexpr std::uint32_t dim_beat_per_min = 264864;
constexpr std::uint32_t dim_resp_per_min = 264928;
constexpr std::uint32_t dim_percent = 262688;
constexpr std::uint32_t dim_mmhg = 266016;
constexpr std::uint32_t dim_kilo_pascal = 265987;
constexpr std::uint32_t dim_degc = 268192;
constexpr std::uint32_t dim_fahr = 266560;
constexpr std::uint32_t dim_kilo_g = 263875;
constexpr std::uint32_t dim_centi_m = 263441;
constexpr std::uint32_t dim_kg_per_m_sq = 264096;
constexpr std::uint32_t dim_milli_g_per_dl = 264274;
constexpr std::uint32_t dim_milli_mole_per_l = 266866;
constexpr std::uint32_t dim_milli_volt = 266418;
constexpr std::uint32_t dim_dimless = 262656;

constexpr std::array heart_rate{UnitEntry{"/min", dim_beat_per_min, "8867-4"}};
constexpr std::array oximeter_pulse{UnitEntry{"/min", dim_beat_per_min, "8889-8"}};
constexpr std::array respiration{UnitEntry{"/min", dim_resp_per_min, "9279-1"}};
// 2708-6 (any method) says the same with less; FHIR profiles accept both.
constexpr std::array saturation{UnitEntry{"%", dim_percent, "59408-5"}};
constexpr std::array perfusion{UnitEntry{"%", dim_percent, "61006-3"}};

constexpr std::array<UnitEntry, 2> pressure(std::string_view loinc,
                                            Evidence evidence = Evidence::checked) {
    return {UnitEntry{"mm[Hg]", dim_mmhg, loinc, evidence},
            UnitEntry{"kPa", dim_kilo_pascal, loinc, evidence}};
}
constexpr auto cuff_systolic = pressure("8480-6");
constexpr auto cuff_diastolic = pressure("8462-4");
constexpr auto cuff_mean = pressure("8478-0");
constexpr auto arterial_systolic = pressure("76215-3");
constexpr auto arterial_diastolic = pressure("76213-8");
constexpr auto arterial_mean = pressure("76214-6");
constexpr auto central_venous = pressure("60985-9", unverified);
// 19889-5 and 19891-1 are both in use for end-tidal CO2.
constexpr auto expired_co2 = pressure("19889-5", unverified);

constexpr std::array temperature{UnitEntry{"Cel", dim_degc, "8310-5"},
                                 UnitEntry{"[degF]", dim_fahr, "8310-5"}};
constexpr std::array weight{UnitEntry{"kg", dim_kilo_g, "29463-7"},
                            UnitEntry{"[lb_av]", 0, "29463-7"}};
constexpr std::array height{UnitEntry{"cm", dim_centi_m, "8302-2"}};
constexpr std::array body_mass_index{UnitEntry{"kg/m2", dim_kg_per_m_sq, "39156-5"}};
constexpr std::array capillary_glucose{UnitEntry{"mg/dL", dim_milli_g_per_dl, "41653-7"},
                                       UnitEntry{"mmol/L", dim_milli_mole_per_l, "14743-9"}};
constexpr std::array interstitial_glucose{UnitEntry{"mg/dL", dim_milli_g_per_dl, "99504-3"},
                                          UnitEntry{"mmol/L", dim_milli_mole_per_l, "105272-9"}};
constexpr std::array ecg_lead{UnitEntry{"mV", dim_milli_volt, ""}};
constexpr std::array plethysmogram{UnitEntry{"1", dim_dimless, ""}};

constexpr auto codes = std::to_array<CodeEntry>({
    {151594, "MDC_CO2_RESP_RATE", respiration},
    {151708, "MDC_CONC_AWAY_CO2_ET", expired_co2, unverified},
    {151712, "MDC_CONC_AWAY_CO2_EXP", expired_co2},
    {160184, "MDC_CONC_GLU_CAPILLARY_WHOLEBLOOD", capillary_glucose},
    {160212, "MDC_CONC_GLU_ISF", interstitial_glucose},
    {131329, "MDC_ECG_ELEC_POTL_I", ecg_lead},
    {131330, "MDC_ECG_ELEC_POTL_II", ecg_lead},
    {131415, "MDC_ECG_ELEC_POTL_V", ecg_lead, unverified},
    {147842, "MDC_ECG_HEART_RATE", heart_rate},
    {188740, "MDC_LEN_BODY_ACTUAL", height},
    {188736, "MDC_MASS_BODY_ACTUAL", weight},
    {150038, "MDC_PRESS_BLD_ART_ABP_DIA", arterial_diastolic, unverified},
    {150039, "MDC_PRESS_BLD_ART_ABP_MEAN", arterial_mean, unverified},
    {150037, "MDC_PRESS_BLD_ART_ABP_SYS", arterial_systolic, unverified},
    {150034, "MDC_PRESS_BLD_ART_DIA", arterial_diastolic},
    {150035, "MDC_PRESS_BLD_ART_MEAN", arterial_mean},
    {150033, "MDC_PRESS_BLD_ART_SYS", arterial_systolic},
    {150022, "MDC_PRESS_BLD_NONINV_DIA", cuff_diastolic},
    {150023, "MDC_PRESS_BLD_NONINV_MEAN", cuff_mean},
    {150021, "MDC_PRESS_BLD_NONINV_SYS", cuff_systolic},
    {150087, "MDC_PRESS_BLD_VEN_CENT_MEAN", central_venous},
    {150302, "MDC_PRESS_CUFF_DIA", cuff_diastolic},
    {150303, "MDC_PRESS_CUFF_MEAN", cuff_mean},
    {150301, "MDC_PRESS_CUFF_SYS", cuff_systolic},
    {149546, "MDC_PULS_RATE_NON_INV", heart_rate},
    {150448, "MDC_PULS_OXIM_PERF_REL", perfusion},
    {150452, "MDC_PULS_OXIM_PLETH", plethysmogram},
    {149530, "MDC_PULS_OXIM_PULS_RATE", oximeter_pulse},
    {150456, "MDC_PULS_OXIM_SAT_O2", saturation},
    {188752, "MDC_RATIO_MASS_BODY_LEN_SQ", body_mass_index},
    {151562, "MDC_RESP_RATE", respiration},
    {150344, "MDC_TEMP", temperature},
    {150364, "MDC_TEMP_BODY", temperature},
    {150368, "MDC_TEMP_CORE", temperature},
    {150388, "MDC_TEMP_SKIN", temperature},
    {150392, "MDC_TEMP_TYMP", temperature},
    {151578, "MDC_TTHOR_RESP_RATE", respiration},
});

constexpr auto sorted_by_name(std::array<CodeEntry, codes.size()> table) {
    std::ranges::sort(table, {}, &CodeEntry::name);
    return table;
}
constexpr auto by_name = sorted_by_name(codes);

// Where to look for a name: open addressing over a few of its letters, which costs less than a
// search that compares whole names again and again.
constexpr std::size_t slot_count = 128;
static_assert(slot_count > 2 * codes.size());

constexpr std::size_t home_slot(std::string_view name) {
    const auto letter = [&](std::size_t at) { return static_cast<unsigned char>(name[at]); };
    const std::size_t end = name.size();
    return (end + 3U * letter(end - 1) + 7U * letter(end / 2) + 31U * letter(end * 3 / 4)) %
           slot_count;
}

constexpr auto slots = [] {
    std::array<std::uint8_t, slot_count> filled{};  // position in by_name + 1; 0: free
    for (std::size_t i = 0; i < by_name.size(); ++i) {
        auto slot = home_slot(by_name[i].name);
        while (filled[slot] != 0)
            slot = (slot + 1) % slot_count;
        filled[slot] = static_cast<std::uint8_t>(i + 1);
    }
    return filled;
}();

// What people and devices write, and what UCUM calls it. Only spellings that are no UCUM at all.
constexpr auto misspellings = std::to_array<std::pair<std::string_view, std::string_view>>({
    {"bpm", "/min"},
    {"BPM", "/min"},
    {"rpm", "/min"},
    {"beats/min", "/min"},
    {"breaths/min", "/min"},
    {"percent", "%"},
    {"mmHg", "mm[Hg]"},
    {"mmhg", "mm[Hg]"},
    {"kpa", "kPa"},
    {"degC", "Cel"},
    {"degF", "[degF]"},
    {"lb", "[lb_av]"},
    {"lbs", "[lb_av]"},
});

}  // namespace

std::span<const CodeEntry> all_codes() noexcept {
    return by_name;
}

const CodeEntry* find_code(std::string_view name) noexcept {
    if (name.empty())
        return nullptr;
    for (auto slot = home_slot(name); slots[slot] != 0; slot = (slot + 1) % slot_count) {
        const auto& entry = by_name[slots[slot] - 1U];
        if (entry.name == name)
            return &entry;
    }
    return nullptr;
}

const CodeEntry* find_code(std::uint32_t mdc) noexcept {
    const auto found = std::ranges::find(by_name, mdc, &CodeEntry::mdc);
    return found != by_name.end() ? &*found : nullptr;
}

const UnitEntry* find_unit(const CodeEntry& code, std::string_view ucum) noexcept {
    const auto found = std::ranges::find(code.units, ucum, &UnitEntry::ucum);
    return found != code.units.end() ? &*found : nullptr;
}

std::uint32_t published_mdc(const CodeEntry& code) noexcept {
    return code.mdc_evidence == Evidence::checked ? code.mdc : 0;
}

std::string_view published_loinc(std::string_view code_name, std::string_view ucum) noexcept {
    const auto* code = find_code(code_name);
    const auto* unit = code != nullptr ? find_unit(*code, ucum) : nullptr;
    return unit != nullptr && unit->loinc_evidence == Evidence::checked ? unit->loinc
                                                                        : std::string_view{};
}

std::string_view ucum_for_misspelling(std::string_view unit) noexcept {
    const auto found = std::ranges::find(misspellings, unit,
                                         &std::pair<std::string_view, std::string_view>::first);
    return found != misspellings.end() ? found->second : std::string_view{};
}

}  // namespace mitral::clinical
