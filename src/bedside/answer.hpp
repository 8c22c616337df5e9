// What comes back to a monitor: MLLP frames with acknowledgements, or with a query.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mitral::bedside {

enum class AnswerKind : std::uint8_t { accepted, later, never, query, other };

struct Answer {
    AnswerKind kind = AnswerKind::other;
    std::string control_id;  // MSA-2
    std::string text;        // MSA-3, or the first component of ERR-8: why not
};

// Of a frame's content, any segment ends.
[[nodiscard]] Answer read_answer(std::string_view message);

// Cuts what arrives into frames.
class FrameReader {
  public:
    static constexpr std::size_t max_frame = 64 * 1024;  // bytes; an answer is small

    void feed(std::string_view bytes) { input_.append(bytes); }
    // The next whole frame's content; nullopt: more bytes needed.
    [[nodiscard]] std::optional<std::string> next();
    [[nodiscard]] bool overlong() const noexcept { return input_.size() > max_frame; }
    void clear() noexcept { input_.clear(); }

  private:
    std::string input_;
};

constexpr char frame_start = '\x0B';
constexpr std::string_view frame_end = "\x1C\x0D";
[[nodiscard]] std::string framed(std::string_view message);

}  // namespace mitral::bedside
