// Private to cloud/query: the functions that conditions may call.
#pragma once

#include <deque>
#include <string>
#include <string_view>

#include "cloud/json.hpp"

namespace mitral::cloud::query {

struct Function {
    std::string_view name;  // upper case
    std::size_t arguments;
    // Null stands for undefined, in arguments and result; results that are not arguments live in
    // `made`.
    const Json* (*apply)(const Json* first, const Json* second, std::deque<Json>& made);
};

[[nodiscard]] const Function* find_function(std::string_view name) noexcept;  // in any case
[[nodiscard]] std::string function_names();

}  // namespace mitral::cloud::query
