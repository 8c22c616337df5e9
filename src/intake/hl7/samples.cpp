#include "intake/hl7/samples.hpp"

#include <algorithm>
#include <limits>

#include "clinical/record.hpp"
#include "intake/hl7/number.hpp"
#include "intake/hl7/special_values.hpp"

namespace mitral::intake::hl7 {
namespace {

constexpr int most_decimals = 9;
constexpr std::int64_t largest = std::numeric_limits<std::int32_t>::max();
constexpr std::int64_t smallest = std::numeric_limits<std::int32_t>::min();

// Calls `take(text)` for each sample; false: it gave up.
template <typename Take>
bool for_each_sample(const Part& value, Take take) {
    const auto& delimiters = value.delimiters();
    const auto text = value.raw();
    std::size_t begin = 0;
    for (std::size_t at = 0; at < text.size(); ++at) {
        if (text[at] != delimiters.component && text[at] != delimiters.repetition)
            continue;
        if (!take(text.substr(begin, at - begin)))
            return false;
        begin = at + 1;
    }
    return take(text.substr(begin));
}

struct Sample {
    std::int64_t mantissa = 0;
    int decimals = 0;
};

// "-12", "+3", "0.125"; no exponent. nullopt: not a number, or too long to be a sample.
std::optional<Sample> parse_sample(std::string_view text) noexcept {
    constexpr std::size_t longest = 18;
    const bool negative = text.starts_with('-');
    if (negative || text.starts_with('+'))
        text.remove_prefix(1);
    if (text.empty() || text.size() > longest)
        return std::nullopt;
    Sample sample;
    bool has_point = false;
    bool has_digit = false;
    for (const char c : text) {
        if (c == '.' && !has_point) {
            has_point = true;
            continue;
        }
        if (c < '0' || c > '9')
            return std::nullopt;
        has_digit = true;
        sample.mantissa = sample.mantissa * 10 + (c - '0');
        sample.decimals += has_point ? 1 : 0;
    }
    // 12.50 says that it is precise to 0.01, but all samples of a wave have one scale anyway.
    while (sample.decimals > 0 && sample.mantissa % 10 == 0) {
        sample.mantissa /= 10;
        --sample.decimals;
    }
    if (negative)
        sample.mantissa = -sample.mantissa;
    return has_digit ? std::optional(sample) : std::nullopt;
}

bool is_missing(std::string_view text) noexcept {
    return text.empty() || text == "\"\"";
}

std::int64_t power_of_ten(int exponent) noexcept {
    std::int64_t power = 1;
    for (; exponent > 0; --exponent)
        power *= 10;
    return power;
}

// The digits behind the point that all samples need; nullopt: more than there is room for.
std::optional<int> common_decimals(const Part& value) {
    int decimals = 0;
    const bool good = for_each_sample(value, [&](std::string_view text) {
        const auto sample = parse_sample(trimmed(text));
        decimals = std::max(decimals, sample ? sample->decimals : 0);
        return decimals <= most_decimals;
    });
    return good ? std::optional(decimals) : std::nullopt;
}

class SampleReader {
  public:
    SampleReader(Samples& out, std::optional<std::int32_t> inop) : out_(out), inop_(inop) {}

    // false: `why` says what it is.
    bool take(std::string_view text) {
        text = trimmed(text);
        if (is_missing(text))
            return add_missing();
        const auto sample = parse_sample(text);
        if (!sample)
            return give_up("a sample that is no number");
        const bool whole = sample->decimals == 0;
        if (whole && is_no_measurement(sample->mantissa))
            return add_missing();
        if (sample->decimals > out_.decimals)
            return give_up("a sample with too many digits");
        std::int64_t scaled = 0;
        if (__builtin_mul_overflow(sample->mantissa, power_of_ten(out_.decimals - sample->decimals),
                                   &scaled) ||
            scaled < smallest || scaled > largest)
            return give_up("a sample with too many digits");
        out_.values.push_back(static_cast<std::int32_t>(scaled));
        return true;
    }

    std::string_view why;

  private:
    [[nodiscard]] bool is_no_measurement(std::int64_t sample) const noexcept {
        if (sample < smallest || sample > largest)
            return false;
        const auto narrow = static_cast<std::int32_t>(sample);
        return narrow == inop_ || is_special_sample(narrow);
    }
    bool add_missing() {
        out_.missing.push_back(out_.values.size());
        out_.values.push_back(0);
        return true;
    }
    bool give_up(std::string_view reason) {
        why = reason;
        return false;
    }

    Samples& out_;
    std::optional<std::int32_t> inop_;
};

}  // namespace

std::expected<Samples, KeptOut> read_samples(const Part& value, std::optional<std::int32_t> inop) {
    Samples out;
    const auto kept_out = [](std::string_view why) {
        return std::unexpected(KeptOut{&NotUnderstood::waves, why});
    };
    if (value.raw().find('.') != std::string_view::npos) {
        const auto decimals = common_decimals(value);
        if (!decimals)
            return kept_out("samples with too many digits");
        out.decimals = *decimals;
    }
    out.values.reserve(value.raw().size() / 4);
    SampleReader reader(out, inop);
    if (!for_each_sample(value, [&](std::string_view text) { return reader.take(text); }))
        return kept_out(reader.why);
    return out;
}

std::size_t count_samples(const Part& value) noexcept {
    const auto& delimiters = value.delimiters();
    const auto separators = std::ranges::count_if(value.raw(), [&](char c) {
        return c == delimiters.component || c == delimiters.repetition;
    });
    return 1 + static_cast<std::size_t>(separators);
}

Samples channel_of(const Samples& all, std::size_t channel, std::size_t channels) {
    Samples out;
    out.decimals = all.decimals;
    for (std::size_t at = channel; at < all.values.size(); at += channels)
        out.values.push_back(all.values[at]);
    for (const auto at : all.missing) {
        if (at % channels == channel)
            out.missing.push_back(at / channels);
    }
    return out;
}

bool has_width(const Part& value, std::size_t components) noexcept {
    const auto& delimiters = value.delimiters();
    std::size_t width = 1;
    for (const char c : value.raw()) {
        if (c == delimiters.component)
            ++width;
        if (c == delimiters.repetition) {
            if (width != components)
                return false;
            width = 1;
        }
    }
    return width == components;
}

std::vector<Run> runs_of(const Samples& samples) {
    std::vector<Run> runs;
    const auto add = [&](std::size_t first, std::size_t end) {
        for (; first < end; first += clinical::max_samples)
            runs.push_back({first, std::min(end - first, clinical::max_samples)});
    };
    std::size_t begin = 0;
    for (const auto hole : samples.missing) {
        add(begin, hole);
        begin = hole + 1;
    }
    add(begin, samples.values.size());
    return runs;
}

}  // namespace mitral::intake::hl7
