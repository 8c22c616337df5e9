#include "intake/hl7/message.hpp"

#include <algorithm>

namespace mitral::intake::hl7 {
namespace {

constexpr bool ends_line(char c) noexcept {
    return c == '\r' || c == '\n';
}
constexpr std::size_t shortest_header = 7;  // "MSH|^~&": some senders have no escape character

bool is_delimiter(char c) noexcept {
    const auto byte = static_cast<unsigned char>(c);
    const bool letter_or_digit = (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') ||
                                 (byte >= 'a' && byte <= 'z');
    return byte > ' ' && byte < 0x7F && !letter_or_digit;
}

// The next line that is not empty; segments end with CR, with LF or with both.
std::string_view take_line(std::string_view& rest) noexcept {
    while (!rest.empty() && ends_line(rest.front()))
        rest.remove_prefix(1);
    const auto line = first_line(rest);
    rest.remove_prefix(line.size());
    return line;
}

bool is_batch_segment(std::string_view line) noexcept {
    const auto name = line.substr(0, 3);
    return name == "FHS" || name == "BHS" || name == "BTS" || name == "FTS";
}

std::unexpected<Unusable> unusable(std::string_view reason) {
    return std::unexpected(Unusable{std::string(reason)});
}

bool is_segment_name(std::string_view name) noexcept {
    return name.size() == 3 && std::ranges::all_of(name, [](char c) {
               return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
           });
}

// What senders leave behind the last segment: the end of a C string, blanks.
bool is_filler(std::string_view line) noexcept {
    return line.find_first_not_of(std::string_view(" \t\0", 3)) == std::string_view::npos;
}

}  // namespace

std::optional<Delimiters> read_delimiters(std::string_view header) noexcept {
    if (!header.starts_with("MSH") || header.size() < shortest_header || !is_delimiter(header[3]))
        return std::nullopt;
    Delimiters found;
    found.field = header[3];
    const auto encoding = header.substr(4, header.find(found.field, 4) - 4);
    if (encoding.size() < 2 || !is_delimiter(encoding[0]) || !is_delimiter(encoding[1]))
        return std::nullopt;
    found.component = encoding[0];
    found.repetition = encoding[1];
    // "^~&": the escape was left out. "^~ &": it was blanked.
    const bool without_escape = encoding.size() == 3 && encoding[2] == '&';
    found.escape =
        encoding.size() > 2 && !without_escape && is_delimiter(encoding[2]) ? encoding[2] : '\0';
    found.subcomponent = without_escape                                     ? '&'
                         : encoding.size() > 3 && is_delimiter(encoding[3]) ? encoding[3]
                                                                            : '\0';
    return found;
}

std::vector<std::string_view> split_batch(std::string_view frame) {
    std::vector<std::string_view> messages;
    const char* begin = nullptr;
    const char* end = nullptr;
    const auto finish = [&] {
        if (begin != nullptr)
            messages.emplace_back(begin, static_cast<std::size_t>(end - begin));
        begin = nullptr;
    };
    for (auto rest = frame; !rest.empty();) {
        const auto line = take_line(rest);
        if (line.empty())
            break;
        const bool opens = line.starts_with("MSH");
        if (opens || is_batch_segment(line))
            finish();
        if (opens)
            begin = line.data();
        end = line.data() + line.size();
    }
    finish();
    return messages;
}

// Either end, looked for in pieces: whichever the sender uses, no byte is looked at more than
// twice.
std::string_view first_line(std::string_view text) noexcept {
    constexpr std::size_t piece = 512;
    for (std::size_t at = 0; at < text.size(); at += piece) {
        const auto part = text.substr(at, piece);
        const auto end = std::min(part.find('\r'), part.find('\n'));
        if (end != std::string_view::npos)
            return text.substr(0, at + end);
    }
    return text;
}

std::expected<Message, Unusable> Message::parse(std::string_view text) {
    const auto found = read_delimiters(text);
    if (!found)
        return unusable("no MSH segment with its delimiters");
    Message message(std::make_unique<Delimiters>(*found));
    while (!text.empty()) {
        const auto line = take_line(text);
        if (line.empty())
            break;
        if (is_filler(line))
            continue;
        if (!is_segment_name(line.substr(0, 3)) ||
            (line.size() > 3 && line[3] != message.delimiters_->field)) {
            if (!message.continues_last(line))
                return unusable("a segment does not begin with its name");
            continue;
        }
        if (message.segments_.size() == max_segments)
            return unusable("more than 16384 segments");
        message.segments_.emplace_back(line, *message.delimiters_);
    }
    return message;
}

// A text of several lines: LF stands in it where CR ends the segments.
bool Message::continues_last(std::string_view line) {
    if (segments_.size() < 2)
        return false;  // MSH names the message and is given back: it has one line
    const auto last = segments_.back().raw();
    const auto* const end = last.data() + last.size();
    const std::string_view between(end, static_cast<std::size_t>(line.data() - end));
    const auto before = segments_[segments_.size() - 2].raw();
    if (between.contains('\r') || before.data()[before.size()] != '\r')
        return false;
    const auto size = static_cast<std::size_t>(line.data() + line.size() - last.data());
    segments_.back() = Segment({last.data(), size}, *delimiters_);
    return true;
}

Part Part::piece(char delimiter, std::size_t number) const noexcept {
    auto rest = text_;
    if (delimiter == '\0')
        return {number == 1 ? rest : std::string_view{}, *delimiters_};
    for (; number > 1; --number) {
        const auto at = rest.find(delimiter);
        if (at == std::string_view::npos)
            return {{}, *delimiters_};
        rest.remove_prefix(at + 1);
    }
    return {rest.substr(0, rest.find(delimiter)), *delimiters_};
}

Part Part::repetition(std::size_t number) const noexcept {
    return piece(delimiters_->repetition, number);
}

Part Part::component(std::size_t number) const noexcept {
    return piece(delimiters_->component, number);
}

Part Part::subcomponent(std::size_t number) const noexcept {
    return piece(delimiters_->subcomponent, number);
}

std::size_t Part::repetitions() const noexcept {
    return 1 + static_cast<std::size_t>(std::ranges::count(text_, delimiters_->repetition));
}

std::size_t Part::components() const noexcept {
    return 1 + static_cast<std::size_t>(std::ranges::count(text_, delimiters_->component));
}

Part Segment::field(std::size_t number) const noexcept {
    const bool is_header = name() == "MSH";
    if (is_header && number == 1)
        return {text_.substr(3, 1), *delimiters_};
    auto rest = text_;
    for (std::size_t left = is_header ? number - 1 : number; left > 0; --left) {
        const auto at = rest.find(delimiters_->field);
        if (at == std::string_view::npos)
            return {{}, *delimiters_};
        rest.remove_prefix(at + 1);
    }
    return {rest.substr(0, rest.find(delimiters_->field)), *delimiters_};
}

}  // namespace mitral::intake::hl7
