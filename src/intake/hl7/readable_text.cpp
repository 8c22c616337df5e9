#include "intake/hl7/readable_text.hpp"

#include <algorithm>

#include "intake/hl7/text.hpp"

namespace mitral::intake::hl7 {
namespace {

bool is_single_byte_set(std::string_view name) noexcept {
    return name.starts_with("8859/");
}

bool is_ascii(std::string_view text) noexcept {
    return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
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
    const auto set = Segment(header, *delimiters).field(18).repetition(1).raw();
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
