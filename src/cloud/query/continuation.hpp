#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace mitral::cloud::query {

// Where the next page of a query begins: behind this twin, with so many rows given before.
struct Continuation {
    std::string device{};
    std::string module{};
    std::uint64_t given = 0;

    bool operator==(const Continuation&) const = default;
};

// Opaque to clients, and bound to the text of its query.
[[nodiscard]] std::string encode(const Continuation& continuation, std::string_view query);
// Empty text is the beginning. Fails with invalid_argument.
[[nodiscard]] base::Result<Continuation> decode(std::string_view text, std::string_view query);

}  // namespace mitral::cloud::query
