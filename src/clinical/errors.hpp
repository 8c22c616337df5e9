#pragma once

#include <system_error>
#include <type_traits>

#include "base/result.hpp"

namespace mitral::clinical {

enum class ClinicalError {
    malformed_record = 1,  // bytes that no append_record() wrote
    unknown_version,       // a record of a later program
    out_of_bounds,         // a value, a length or a count beyond what the format allows
    empty_batch,
};

[[nodiscard]] const std::error_category& clinical_category() noexcept;
[[nodiscard]] inline std::error_code make_error_code(ClinicalError error) noexcept {
    return {static_cast<int>(error), clinical_category()};
}

}  // namespace mitral::clinical

template <>
struct std::is_error_code_enum<mitral::clinical::ClinicalError> : std::true_type {};
