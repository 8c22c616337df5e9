// The waveforms of a message. No I/O.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "intake/hl7/message.hpp"
#include "intake/hl7/wave_facts.hpp"
#include "intake/hl7/waveform.hpp"

namespace mitral::intake::hl7 {

class WaveReader {
  public:
    WaveReader(const Message& message, const Dialect* dialect)
        : dialect_(dialect), facts_(message, dialect) {}

    // What says when the samples of the row begin, if its channel says so by a TIM row.
    [[nodiscard]] std::string_view start_of(const ObservationRow& row, std::size_t order) const {
        return facts_.start_of(row, order);
    }

    struct Waves {
        std::vector<WavePiece> pieces;
        std::vector<KeptOut> kept_out;  // one for each channel that was
    };
    // `order`: how many OBR stand in front of the row. `start_of_channel`: `start` is that of a TIM
    // row, so that the row's samples follow those of the rows before it.
    [[nodiscard]] Waves read(const ObservationRow& row, std::size_t order,
                             const std::optional<DeviceTime>& start, bool start_of_channel);

  private:
    struct Position {
        std::size_t order;
        std::string_view sub_id;
        std::size_t samples;
    };

    [[nodiscard]] std::expected<Parameter, KeptOut> parameter_of(const ObservationRow& row,
                                                                 const WaveFacts& facts,
                                                                 bool only_channel) const;
    [[nodiscard]] std::expected<std::vector<WavePiece>, KeptOut> read_channel(
        const ObservationRow& row, const Samples& samples, const WaveFacts& facts,
        bool only_channel, const std::optional<DeviceTime>& start, std::size_t before) const;
    // Where the row's samples begin; they are added to it.
    [[nodiscard]] std::size_t pass(const ObservationRow& row, std::size_t order,
                                   std::size_t samples);

    const Dialect* dialect_;
    WaveFactsOfMessage facts_;
    std::vector<Position> positions_;
};

}  // namespace mitral::intake::hl7
