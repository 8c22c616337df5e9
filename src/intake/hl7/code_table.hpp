// Code tables: TOML files that describe a Dialect (docs/adapters/hl7-codes.md). The examples in
// share/codes show the frequent kinds.
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"
#include "intake/hl7/dialect.hpp"

namespace mitral::intake::hl7 {

// The error names file, line and cause in one line.
[[nodiscard]] base::Result<Dialect> load_code_table(const std::string& path);
[[nodiscard]] base::Result<Dialect> parse_code_table(std::string_view text, std::string_view name);

}  // namespace mitral::intake::hl7
