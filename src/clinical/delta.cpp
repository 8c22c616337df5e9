#include "clinical/delta.hpp"

#include <limits>
#include <optional>

namespace mitral::clinical {
namespace {

std::uint64_t zigzag(std::int64_t value) noexcept {
    return static_cast<std::uint64_t>(value) << 1 ^ static_cast<std::uint64_t>(value >> 63);
}

std::int64_t unzigzag(std::uint64_t value) noexcept {
    return static_cast<std::int64_t>(value >> 1) ^ -static_cast<std::int64_t>(value & 1);
}

// One varint in its shortest form, of at most max_delta_size bytes.
std::optional<std::uint64_t> take_varint(base::ByteView bytes, std::size_t& position) noexcept {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < max_delta_size && position < bytes.size(); ++i) {
        const std::uint8_t byte = bytes[position++];
        value |= static_cast<std::uint64_t>(byte & 0x7F) << (7 * i);
        if ((byte & 0x80) == 0)
            return byte == 0 && i > 0 ? std::nullopt : std::optional(value);
    }
    return std::nullopt;
}

}  // namespace

void append_deltas(std::span<const std::int32_t> samples, base::Bytes& out) {
    std::int64_t previous = 0;
    for (const std::int32_t sample : samples) {
        std::uint64_t rest = zigzag(sample - previous);
        previous = sample;
        for (; rest >= 0x80; rest >>= 7)
            out.push_back(static_cast<std::uint8_t>(rest | 0x80));
        out.push_back(static_cast<std::uint8_t>(rest));
    }
}

bool decode_deltas(base::ByteView bytes, std::size_t count, std::vector<std::int32_t>& samples) {
    using Limits = std::numeric_limits<std::int32_t>;
    if (count > bytes.size())
        return false;  // a sample takes a byte at least: nothing is reserved for a lie
    samples.reserve(samples.size() + count);
    std::size_t position = 0;
    std::int64_t value = 0;
    for (std::size_t i = 0; i < count; ++i) {
        const auto delta = take_varint(bytes, position);
        if (!delta)
            return false;
        value += unzigzag(*delta);
        if (value < Limits::min() || value > Limits::max())
            return false;
        samples.push_back(static_cast<std::int32_t>(value));
    }
    return position == bytes.size();
}

}  // namespace mitral::clinical
