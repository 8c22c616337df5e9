// One mitral.wave/1 message under construction (docs/formats/wave-1.md).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "clinical/observation.hpp"

namespace mitral::clinical {

class WaveBlocks {
  public:
    // `subject` may be empty; `base_time` is the receive time of the first block.
    WaveBlocks(std::string_view source, std::string_view subject, base::WallTime base_time);

    // Adds a block for each waveform of a checked reading. False, with nothing added, when the
    // message would grow beyond `limit` bytes; the first reading is always taken.
    [[nodiscard]] bool add(const Reading& reading, std::size_t limit);
    [[nodiscard]] base::Bytes finish() const;

  private:
    void write_block(const Reading& reading, const Waveform& wave);

    std::string source_;
    std::string subject_;
    base::WallTime base_time_;
    base::Bytes blocks_;
    std::uint64_t count_ = 0;
    base::Bytes deltas_;  // scratch
};

}  // namespace mitral::clinical
