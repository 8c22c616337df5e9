// Percent-encoding (RFC 3986 §2.1) and ASCII case, shared by tokens, topics and usernames.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace mitral::azure {

// Everything but letters, digits and "-._~" is escaped, with upper-case digits.
[[nodiscard]] std::string percent_encode(std::string_view text);
void append_percent_encoded(std::string_view text, std::string& out);
// Both cases of digits; '+' stays '+'. Empty on a broken escape.
[[nodiscard]] std::optional<std::string> percent_decode(std::string_view text);

[[nodiscard]] std::string to_lower(std::string_view text);  // ASCII only
[[nodiscard]] bool equal_ignoring_case(std::string_view a,
                                       std::string_view b) noexcept;  // ASCII only

// Hostile text for a message to a person: printable ASCII, at most 64 characters.
[[nodiscard]] std::string shown(std::string_view text);

}  // namespace mitral::azure
