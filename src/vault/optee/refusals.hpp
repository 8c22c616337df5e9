// What the Trusted Application's numbers mean to a person.
#pragma once

#include <cstdint>
#include <expected>

#include "base/result.hpp"

namespace mitral::vault::optee {

[[nodiscard]] std::unexpected<base::Error> refusal(std::uint8_t status);

}  // namespace mitral::vault::optee
