// nlohmann-json behind the wall: bounded, never throwing access to hostile JSON. Only .cpp files of
// this room include this header.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace mitral::azure {

constexpr int max_json_depth = 16;

// An object at the top, at most max_dps_body bytes and max_json_depth levels.
[[nodiscard]] base::Result<nlohmann::json> parse_json_object(std::string_view text);

// A text member: empty when absent or null. Fails on another type or beyond `limit` bytes.
[[nodiscard]] base::Result<std::string> text_member(const nlohmann::json& object, const char* name,
                                                    std::size_t limit);
// An integer member: 0 when absent or null. Fails on another type.
[[nodiscard]] base::Result<std::int64_t> integer_member(const nlohmann::json& object,
                                                        const char* name);
// A member kept as JSON text; empty when absent or null.
[[nodiscard]] std::string raw_member(const nlohmann::json& object, const char* name);
// An object member, or null when absent; fails on another type.
[[nodiscard]] base::Result<const nlohmann::json*> object_member(const nlohmann::json& object,
                                                                const char* name);

// JSON text of what this room built; broken UTF-8 becomes U+FFFD.
[[nodiscard]] std::string dump(const nlohmann::json& value);

}  // namespace mitral::azure
