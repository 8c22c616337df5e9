// The samples of NA and MA (HL7 v2.6 §2.A.38, §2.A.46): numbers between component and repetition
// delimiters. No I/O.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string_view>
#include <vector>

#include "intake/hl7/message.hpp"
#include "intake/hl7/value.hpp"

namespace mitral::intake::hl7 {

struct Samples {
    std::vector<std::int32_t> values;  // × 10^-decimals is what was sent; 0 where there is none
    std::vector<std::size_t> missing;  // positions without a measurement, rising
    int decimals = 0;
};

// Missing are an empty sample, `""`, the special values and `inop`. KeptOut: something that is no
// number, or numbers that 32 bits cannot hold with the digits they were sent with.
[[nodiscard]] std::expected<Samples, KeptOut> read_samples(const Part& value,
                                                           std::optional<std::int32_t> inop);

// As many as read_samples() would give.
[[nodiscard]] std::size_t count_samples(const Part& value) noexcept;

// Channel `channel` (from 0) of samples that were taken in turns.
[[nodiscard]] Samples channel_of(const Samples& all, std::size_t channel, std::size_t channels);

// Whether each repetition has that many components.
[[nodiscard]] bool has_width(const Part& value, std::size_t components) noexcept;

// A run of samples without a hole.
struct Run {
    std::size_t first;
    std::size_t count;
};
// The runs between the missing ones, none longer than clinical::max_samples.
[[nodiscard]] std::vector<Run> runs_of(const Samples& samples);

}  // namespace mitral::intake::hl7
