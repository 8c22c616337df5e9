// The text of one message as the parser can read it, whatever character set its MSH-18 names.
#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "intake/hl7/message.hpp"

namespace mitral::intake::hl7 {

// The first segment of a message, as sent.
[[nodiscard]] std::string_view header_of(std::string_view message) noexcept;

struct ReadableText {
    std::string_view text;  // UTF-8, or as sent where `decoded` is false
    bool decoded = true;    // false: it is not in the set it names; what is ASCII can still be read
};

// `storage` keeps what had to be converted. Where a set's multi-byte characters may hold bytes that
// look like delimiters, a message that cannot be converted is Unusable: splitting it would invent
// fields. MSH stays as sent where it can, because it is given back and names the message.
[[nodiscard]] std::expected<ReadableText, Unusable> readable_text(std::string_view message,
                                                                  std::string& storage);

}  // namespace mitral::intake::hl7
