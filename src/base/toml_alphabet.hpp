// What a TOML text may be made of before toml++ sees it.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace mitral::base {

// The line, from 1, of the first byte that is neither printable ASCII nor a tab or an end of line;
// nullopt: none is there. toml++ 3.3 runs into undefined behaviour at characters beyond ASCII and
// asserts at a NUL; fuzzing found so many ways there that no rule short of this one held.
[[nodiscard]] std::optional<std::size_t> line_no_parser_may_see(std::string_view text) noexcept;

}  // namespace mitral::base
