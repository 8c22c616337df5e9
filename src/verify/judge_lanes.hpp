// The part of a judgement that is about lanes: what the normal world says they hold.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "verify/judge.hpp"

namespace mitral::verify {

constexpr const char* look_at_unit =
    "treat what the unit sent since as unproven, and look at it on the spot";

// "WHAT fell from 7 to 5"
[[nodiscard]] std::string fell(std::string_view what, std::uint64_t from, std::uint64_t to);

void judge_lanes(const Marks& marks, const attest::Report& report, std::vector<Finding>& out);
// Takes up what is higher, and lanes that are new or were made anew.
void raise_lanes(Marks& marks, const attest::Report& report);

}  // namespace mitral::verify
