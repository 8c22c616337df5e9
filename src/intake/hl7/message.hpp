// HL7 v2 messages as text (HL7 v2.6 chapter 2): segments, fields, repetitions, components. Views
// into the frame; nothing is copied, nothing is understood beyond the delimiters. No I/O.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mitral::intake::hl7 {

// MSH-1 and MSH-2. '\0': the sender has none.
struct Delimiters {
    char field = '|';
    char component = '^';
    char repetition = '~';
    char escape = '\\';
    char subcomponent = '&';
};

// Why a message cannot be taken, in words for its sender and for the log: never a value, a name or
// an id.
struct Unusable {
    std::string reason;
};

// A field, a repetition, a component or a subcomponent: text between delimiters, escapes as they
// stand. Parts are counted from 1, as in the standard; one that is not there is empty.
class Part {
  public:
    Part(std::string_view text, const Delimiters& delimiters) noexcept
        : text_(text), delimiters_(&delimiters) {}

    [[nodiscard]] std::string_view raw() const noexcept { return text_; }
    [[nodiscard]] const Delimiters& delimiters() const noexcept { return *delimiters_; }
    [[nodiscard]] bool empty() const noexcept { return text_.empty(); }
    // `""`: delete what you have, which for a value says that there is none.
    [[nodiscard]] bool is_null() const noexcept { return text_ == "\"\""; }

    [[nodiscard]] Part repetition(std::size_t number) const noexcept;
    [[nodiscard]] std::size_t repetitions() const noexcept;
    [[nodiscard]] Part component(std::size_t number) const noexcept;
    [[nodiscard]] std::size_t components() const noexcept;
    [[nodiscard]] Part subcomponent(std::size_t number) const noexcept;

  private:
    [[nodiscard]] Part piece(char delimiter, std::size_t number) const noexcept;

    std::string_view text_;
    const Delimiters* delimiters_;
};

class Segment {
  public:
    Segment(std::string_view text, const Delimiters& delimiters) noexcept
        : text_(text), delimiters_(&delimiters) {}

    [[nodiscard]] std::string_view name() const noexcept { return text_.substr(0, 3); }
    [[nodiscard]] std::string_view raw() const noexcept { return text_; }
    // As the standard counts: MSH-1 is the delimiter itself.
    [[nodiscard]] Part field(std::size_t number) const noexcept;

  private:
    std::string_view text_;
    const Delimiters* delimiters_;
};

class Message {
  public:
    static constexpr std::size_t max_segments = 16 * 1024;

    // Of one message: `text` begins with its MSH (see split_batch) and outlives the message.
    [[nodiscard]] static std::expected<Message, Unusable> parse(std::string_view text);

    Message(Message&&) = default;
    Message& operator=(Message&&) = default;

    [[nodiscard]] const Delimiters& delimiters() const noexcept { return *delimiters_; }
    [[nodiscard]] const std::vector<Segment>& segments() const noexcept { return segments_; }
    [[nodiscard]] const Segment& header() const noexcept { return segments_.front(); }

  private:
    explicit Message(std::unique_ptr<Delimiters> delimiters) noexcept
        : delimiters_(std::move(delimiters)) {}

    // Adds a line to the last segment; false: it is none of its.
    [[nodiscard]] bool continues_last(std::string_view line);

    std::unique_ptr<Delimiters> delimiters_;  // segments point to it
    std::vector<Segment> segments_;
};

// The messages of a frame, each from its MSH on: batch headers and trailers (FHS, BHS, BTS, FTS)
// are left out. Empty: there is no MSH.
[[nodiscard]] std::vector<std::string_view> split_batch(std::string_view frame);

// What the first bytes of a segment MSH say; nullopt: no MSH.
[[nodiscard]] std::optional<Delimiters> read_delimiters(std::string_view header) noexcept;

// Up to the first CR or LF, or all of it.
[[nodiscard]] std::string_view first_line(std::string_view text) noexcept;

}  // namespace mitral::intake::hl7
