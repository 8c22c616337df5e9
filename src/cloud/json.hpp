// Private to cloud: reading hostile JSON. Members are kept sorted: a lookup costs log n, so a body
// of a hundred thousand members takes no time worth naming.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace mitral::cloud {

using Json = nlohmann::json;

inline constexpr std::size_t max_json_depth = 32;

// Fails with invalid_argument; an empty text is an empty object.
[[nodiscard]] base::Result<Json> parse_json(std::string_view text);

// Members by name, of the wanted type, or the fallback.
[[nodiscard]] const Json* member(const Json& object, std::string_view name);
[[nodiscard]] std::string text_member(const Json& object, std::string_view name,
                                      std::string_view fallback = {});

// Broken UTF-8 becomes U+FFFD.
[[nodiscard]] std::string dump(const Json& value);

}  // namespace mitral::cloud
