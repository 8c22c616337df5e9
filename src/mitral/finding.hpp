// What the doctor found, layer by layer, and how it is told.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace mitral::cli {

enum class Verdict : std::uint8_t { ok, warning, failed, skipped };

struct Finding {
    std::string layer;  // "clock"
    Verdict verdict = Verdict::ok;
    std::string text;    // what was found
    std::string remedy;  // what to do; empty when there is nothing to do
};

[[nodiscard]] Finding good(std::string text);
[[nodiscard]] Finding warn(std::string text, std::string remedy);
[[nodiscard]] Finding fault(std::string text, std::string remedy);
[[nodiscard]] Finding skip(std::string why);

// The first layer that failed: what stands above it cannot work. Null when none did.
[[nodiscard]] const Finding* first_failure(const std::vector<Finding>& findings) noexcept;

// Aligned lines "ok    clock  …", remedies below, and the first failing layer at the end.
[[nodiscard]] std::string to_text(const std::vector<Finding>& findings);
// {"schema":"mitral.doctor/1","healthy":false,"first_failure":"clock","layers":[{"layer","verdict",…}]}
[[nodiscard]] std::string to_json(const std::vector<Finding>& findings);

}  // namespace mitral::cli
