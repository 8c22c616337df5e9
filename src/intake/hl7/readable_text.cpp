#include "intake/hl7/readable_text.hpp"

#include <algorithm>

#include "intake/hl7/text.hpp"

namespace mitral::intake::hl7 {
namespace {

constexpr char escape = '\x1B';

bool is_single_byte_set(std::string_view name) noexcept {
    return name.starts_with("8859/");
}

bool is_ascii(std::string_view text) noexcept {
    return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

// Kanji beside ASCII (ISO 2022), whatever is named in front of them: their bytes may look like any
// delimiter. Behind an escape sequence only.
std::string_view switched_set(const Part& sets, std::string_view message) noexcept {
    constexpr std::size_t most_sets = 8;
    if (!message.contains(escape))
        return {};
    for (std::size_t number = 1; number <= most_sets; ++number) {
        const auto set = sets.repetition(number).raw();
        if (set == "ISO IR87" || set == "ISO IR159")
            return set;
    }
    return {};
}

}  // namespace

std::string_view header_of(std::string_view message) noexcept {
    return first_line(message);
}

std::expected<ReadableText, Unusable> readable_text(std::string_view message,
                                                    std::string& storage) {
    const auto header = header_of(message);
    const auto delimiters = read_delimiters(header);
    if (!delimiters)
        return std::unexpected(Unusable{"no MSH segment with its delimiters"});
    const auto sets = Segment(header, *delimiters).field(18);
    auto set = switched_set(sets, message);
    if (set.empty())
        set = sets.repetition(1).raw();
    if (set.empty())
        return ReadableText{message};
    // The escape sequences of ISO 2022 are ASCII too, and mean other characters.
    if (is_single_byte_set(set) && is_ascii(message))
        return ReadableText{message};
    const auto converted = to_utf8(message, set, storage);
    if (!converted) {
        if (is_single_byte_set(set))
            return ReadableText{message, false};
        return std::unexpected(converted.error());
    }
    if (converted->data() == message.data())
        return ReadableText{message};
    if (is_ascii(header))
        return ReadableText{*converted};
    if (!is_single_byte_set(set))
        return ReadableText{*converted};  // as sent it could be cut in the wrong places
    const auto rest = converted->substr(header_of(*converted).size());
    storage = std::string(header).append(rest);
    return ReadableText{storage};
}

}  // namespace mitral::intake::hl7
