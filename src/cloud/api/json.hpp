// Private to cloud/api: reading hostile JSON bodies and writing answers.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "cloud/http/message.hpp"

namespace mitral::cloud::api {

using Json = nlohmann::ordered_json;

inline constexpr std::size_t max_json_depth = 32;

// Fails with invalid_argument; an empty text is an empty object.
[[nodiscard]] base::Result<Json> parse_json(std::string_view text);

// Members by path, of the wanted type, or the fallback.
[[nodiscard]] const Json* member(const Json& object, std::string_view name);
[[nodiscard]] std::string text_member(const Json& object, std::string_view name,
                                      std::string_view fallback = {});

[[nodiscard]] http::Response json_response(unsigned status, const Json& body);

}  // namespace mitral::cloud::api
