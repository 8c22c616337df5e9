#include "bedside/latency.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace mitral::bedside {

void Latencies::add(std::int64_t microseconds) noexcept {
    const auto value = static_cast<std::uint64_t>(std::max<std::int64_t>(microseconds, 0));
    // Up to 2^fine_bits each value has its own bucket; then each power of two has 2^fine_bits.
    const int power = std::max(static_cast<int>(std::bit_width(value)) - fine_bits - 1, 0);
    const std::size_t bucket = (static_cast<std::size_t>(power) << fine_bits) + (value >> power);
    ++tally_[std::min(bucket, buckets - 1)];
    ++count_;
    max_ = std::max(max_, value);
}

double Latencies::percentile(double share) const noexcept {
    const auto wanted = static_cast<std::uint64_t>(std::ceil(share * static_cast<double>(count_)));
    std::uint64_t seen = 0;
    for (std::size_t bucket = 0; bucket < buckets; ++bucket) {
        seen += tally_[bucket];
        if (seen == 0 || seen < wanted)
            continue;
        const std::size_t power = bucket < (2U << fine_bits) ? 0 : (bucket >> fine_bits) - 1;
        const auto upper = ((bucket - (power << fine_bits) + 1) << power) - 1;
        return std::min(static_cast<double>(upper) / 1000, max());
    }
    return 0;
}

}  // namespace mitral::bedside
