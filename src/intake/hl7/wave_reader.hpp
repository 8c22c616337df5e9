// The waveforms of a message. No I/O.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "intake/hl7/message.hpp"
#include "intake/hl7/wave_facts.hpp"
#include "intake/hl7/waveform.hpp"

namespace mitral::intake::hl7 {

class WaveReader {
  public:
    // A message that would have more waves is refused.
    static constexpr std::size_t max_waves = 16 * 1024;

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
    // For a row that is not read: those that follow it begin where it ends all the same.
    void pass_over(const ObservationRow& row, std::size_t order);

    // More than max_waves would have had to be read.
    [[nodiscard]] bool overflowed() const noexcept { return waves_ > max_waves; }

  private:
    // How many samples of each channel have passed; nullopt: nobody can say.
    using Position = std::optional<std::size_t>;

    [[nodiscard]] std::expected<Parameter, KeptOut> parameter_of(const ObservationRow& row,
                                                                 const WaveFacts& facts,
                                                                 bool only_channel) const;
    [[nodiscard]] std::expected<std::vector<WavePiece>, KeptOut> read_channel(
        const ObservationRow& row, const Samples& samples, const WaveFacts& facts,
        bool only_channel, const std::optional<DeviceTime>& start, std::size_t before) const;
    // Where the row's samples begin; they are added to it.
    [[nodiscard]] Position pass(const ObservationRow& row, std::size_t order, std::size_t channels);

    const Dialect* dialect_;
    WaveFactsOfMessage facts_;
    std::map<std::pair<std::size_t, std::string_view>, Position> positions_;  // order, OBX-4
    std::size_t waves_ = 0;
};

}  // namespace mitral::intake::hl7
