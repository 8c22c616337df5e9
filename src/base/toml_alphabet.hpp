// What a TOML text may be made of before toml++ sees it.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace mitral::base {

// The line, from 1, on which a character beyond ASCII stands outside comments and quoted strings of
// one line, or a control character anywhere; nullopt: none does. toml++ 3.3 runs into undefined
// behaviour where it looks for white space and finds such a character (U+00A0 to U+0499 and
// others), which it does between tokens and in strings of several lines. At a NUL behind a bracket
// it asserts.
[[nodiscard]] std::optional<std::size_t> line_no_parser_may_see(std::string_view text) noexcept;

}  // namespace mitral::base
