// mitral.wave/1 as docs/formats/wave-1.md says it, read without any code of the writer: what the
// fuzzers and tests hold the encoder against.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "clinical/observation.hpp"

namespace mitral::clinical::test {

// Takes definite lengths, shortest heads and visible ASCII only. After the first thing that is
// anything else, every getter returns an empty value and failed() holds.
class CborReader {
  public:
    explicit CborReader(base::ByteView input) noexcept : rest_(input) {}

    std::int64_t integer();
    std::string text();
    base::ByteView bytes();
    std::uint64_t array() { return head(4); }
    std::uint64_t map() { return head(5); }
    bool take_null();  // false, and nothing taken, when something else comes next
    void expect_text(std::string_view content);

    void fail() noexcept { failed_ = true; }
    [[nodiscard]] bool failed() const noexcept { return failed_; }
    [[nodiscard]] bool done() const noexcept { return !failed_ && rest_.empty(); }

  private:
    std::uint8_t byte();
    std::uint64_t head(std::uint8_t major);
    base::ByteView take(std::uint64_t size);

    base::ByteView rest_;
    bool failed_ = false;
};

struct WaveBlock {
    std::string id;
    std::optional<std::int64_t> device_ms;
    std::string device_clock;  // empty: null
    std::int64_t received_ms = 0;
    std::string clock;
    Waveform wave;
    bool operator==(const WaveBlock&) const = default;
};

struct WaveMessage {
    std::string source;
    std::string subject;  // empty: none
    std::vector<WaveBlock> blocks;
    bool operator==(const WaveMessage&) const = default;
};

// nullopt: not a message of the format, to the byte.
[[nodiscard]] std::optional<WaveMessage> read_wave_message(base::ByteView body);
// What a message must say of a reading.
[[nodiscard]] std::vector<WaveBlock> blocks_of(const Reading& reading);

}  // namespace mitral::clinical::test
