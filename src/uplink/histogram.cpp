#include "uplink/histogram.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace mitral::uplink {

// Values below 4 have a bucket each; above, the top bit picks the octave, the next two the quarter.
void Histogram::add(std::int64_t microseconds) noexcept {
    const auto value = static_cast<std::uint64_t>(std::max<std::int64_t>(microseconds, 0));
    std::size_t index = value;
    if (value >= sub_buckets) {
        const auto top = static_cast<std::size_t>(std::bit_width(value)) - 1;
        index = (top - 1) * sub_buckets + (value >> (top - 2) & (sub_buckets - 1));
    }
    ++buckets_[std::min(index, buckets_.size() - 1)];
    ++count_;
}

std::int64_t Histogram::quantile(double part) const noexcept {
    const auto wanted = static_cast<std::uint64_t>(std::ceil(part * static_cast<double>(count_)));
    std::uint64_t seen = 0;
    for (std::size_t index = 0; index < buckets_.size(); ++index) {
        seen += buckets_[index];
        if (buckets_[index] == 0 || seen < wanted)
            continue;
        if (index < sub_buckets)
            return static_cast<std::int64_t>(index);
        const std::size_t top = index / sub_buckets + 1;
        const std::size_t quarter = index % sub_buckets;
        return static_cast<std::int64_t>(((sub_buckets + quarter + 1) << (top - 2)) - 1);
    }
    return 0;
}

}  // namespace mitral::uplink
