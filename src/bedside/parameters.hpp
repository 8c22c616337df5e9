// What the recordings hold, and how monitors name it: ISO/IEEE 11073-10101 numbers and reference
// ids, UCUM, and the invented private code of system 99MON (share/codes/bedside.toml).
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace mitral::bedside {

struct UnitName {
    std::string_view ucum;
    std::uint32_t mdc;
    std::string_view mdc_name;
    std::string_view plain;  // what a monitor without a nomenclature writes
};

struct Parameter {
    std::string_view column;  // of the recording
    std::uint32_t mdc;
    std::string_view name;  // reference id
    const UnitName* unit;
    std::string_view place;  // containment: MDS.VMD.CHAN.METRIC
    std::uint32_t private_code;
    std::string_view private_name;
    bool cuff = false;         // measured now and then, not all the time
    std::string_view scale{};  // of a waveform: one count, in `unit`
};

// A row of the containment that holds no value.
struct Container {
    std::uint32_t mdc;
    std::string_view name;
    std::string_view place;
};

constexpr std::uint32_t wave_rate = 250;  // samples per second, of every waveform

[[nodiscard]] std::span<const Parameter> numerics() noexcept;
[[nodiscard]] std::span<const Parameter> waves() noexcept;
[[nodiscard]] std::span<const Container> containers() noexcept;
[[nodiscard]] const UnitName& kilopascal() noexcept;

}  // namespace mitral::bedside
