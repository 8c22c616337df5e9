// mitral.lines/1 (docs/formats/lines-1.md): one line of JSON to a checked reading, or one clear
// reason.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "clinical/observation.hpp"
#include "intake/store/refusal.hpp"

namespace mitral::intake {

enum class Acknowledge : std::uint8_t { line, batch };

struct Header {
    std::string source;
    Acknowledge acknowledge = Acknowledge::line;
};

// Keeps its working memory from line to line. Not thread-safe.
class LineParser {
  public:
    // Readable bytes the caller guarantees behind every line it hands in; their content is ignored.
    static constexpr std::size_t padding = 64;

    LineParser();
    ~LineParser();
    LineParser(const LineParser&) = delete;
    LineParser& operator=(const LineParser&) = delete;

    [[nodiscard]] std::expected<Header, Refusal> header(std::string_view line);

    // Fills control id, device time, observations and waveforms of `out`; source, receive time and
    // clock are the caller's. What is accepted keeps clinical::check(). After a refusal `out` is
    // unspecified. Its memory is reused: hand in the same one each time.
    [[nodiscard]] Acceptance reading(std::string_view line, clinical::Reading& out);

    // Codes taken as they are because the table does not know them.
    [[nodiscard]] std::uint64_t unknown_codes() const noexcept;

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace mitral::intake
