#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace mitral::cloud::query {

struct Token {
    enum class Kind : std::uint8_t { name, quoted_name, text, number, symbol, end };
    Kind kind = Kind::end;
    std::string text{};  // without quotes and escapes
    std::size_t column = 1;
};

// What a query that calculates is refused with.
[[nodiscard]] std::unexpected<base::Error> arithmetic(std::size_t column);

// Ends with a token `end`. Fails with invalid_argument as parse() does.
[[nodiscard]] base::Result<std::vector<Token>> tokens_of(std::string_view text);

}  // namespace mitral::cloud::query
