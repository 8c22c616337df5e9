// What a message says about its waveforms beside their samples: facets of IHE PCD-01 (OBX-4 is that
// of the samples and one level more) and channel definitions of ORU^W01 (HL7 v2.6 §2.A.9 CD,
// §7.15). No I/O.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "clinical/decimal.hpp"
#include "intake/hl7/message.hpp"
#include "intake/hl7/observation_row.hpp"
#include "intake/hl7/units.hpp"

namespace mitral::intake::hl7 {

// What a message states, if it does. What is stated and not understood must not be replaced by what
// somebody else says.
struct StatedNumber {
    bool stated = false;
    std::optional<clinical::Decimal> number;

    [[nodiscard]] bool is_unreadable() const noexcept { return stated && !number; }
};

// What is known of one wave. Views into the message.
struct WaveFacts {
    StatedNumber rate;                         // samples per second
    StatedNumber step;                         // what a step of one is, before the correction
    UnitMatch unit;                            // of a step
    StatedNumber correction;                   // factor of the step
    StatedNumber inop;                         // the sample that says that there is none
    std::optional<std::int64_t> baseline = 0;  // the sample that means zero; nullopt: unreadable
    std::string_view name;                     // of a channel
    std::optional<Part> identifier;            // OBX-3 of its channel definition

    [[nodiscard]] bool is_unreadable() const noexcept {
        return rate.is_unreadable() || step.is_unreadable() || correction.is_unreadable() ||
               inop.is_unreadable() || !baseline;
    }
};

// What stands behind it is told of something else: another order, patient or bed.
[[nodiscard]] bool begins_order(const Segment& segment) noexcept;

// A row that says something about a wave, or an attribute that nobody needs: no measurement.
[[nodiscard]] bool is_wave_fact(const ObservationRow& row) noexcept;

class WaveFactsOfMessage {
  public:
    WaveFactsOfMessage(const Message& message, const Dialect* dialect);

    // By facets; `order`: how many segments that begin one stand in front
    // of the row.
    [[nodiscard]] WaveFacts facts_of(const ObservationRow& row, std::size_t order) const;
    // By definitions, in the order in which they stand; empty: there are none.
    [[nodiscard]] std::vector<WaveFacts> channels_of(const ObservationRow& row,
                                                     std::size_t order) const;
    // OBX-5 of the TIM row, the time of the first sample; empty: there is none.
    [[nodiscard]] std::string_view start_of(const ObservationRow& row, std::size_t order) const;

  private:
    enum class Kind : std::uint8_t { rate, resolution, inop, channel, start };
    // Read once, because many waves may ask for it.
    struct Fact {
        std::size_t order;
        std::string_view sub_id;
        std::uint16_t index;  // of its OBX
        Kind kind;
        WaveFacts says;
        std::string_view start;
        bool has_sensitivity = false;  // of a channel definition: components 3 and 4
        bool has_calibration = false;
    };
    using Facts = std::vector<Fact>;

    [[nodiscard]] static std::optional<Kind> kind_of(const ObservationRow& row) noexcept;
    // Those of the sub-id itself, then those below it; at most a few.
    template <typename Take>
    void for_each_of(std::size_t order, std::string_view sub_id, Take take) const;
    [[nodiscard]] Fact read(const ObservationRow& row, Kind kind, std::size_t order) const;
    void read_channel(const ObservationRow& row, Fact& fact) const;

    const Dialect* dialect_;
    Facts facts_;  // by order and sub-id, else as in the message
};

}  // namespace mitral::intake::hl7
