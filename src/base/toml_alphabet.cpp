#include "base/toml_alphabet.hpp"

#include <algorithm>

namespace mitral::base {
namespace {

bool is_plain(char c) noexcept {
    return (c >= ' ' && c <= '~') || c == '\t' || c == '\n' || c == '\r';
}

}  // namespace

std::optional<std::size_t> line_no_parser_may_see(std::string_view text) noexcept {
    const auto stray = std::ranges::find_if_not(text, is_plain);
    if (stray == text.end())
        return std::nullopt;
    return 1 + static_cast<std::size_t>(std::count(text.begin(), stray, '\n'));
}

}  // namespace mitral::base
