#include "intake/lines/keyed_hash.hpp"

#include <algorithm>
#include <cstring>

namespace mitral::intake {

void KeyedHash::absorb(std::string_view text) noexcept {
    absorb(text.size());
    while (!text.empty()) {
        // In the machine's byte order: the hash never leaves the process.
        std::uint64_t word = 0;
        const auto count = std::min(text.size(), sizeof word);
        std::memcpy(&word, text.data(), count);
        absorb(word);
        text.remove_prefix(count);
    }
}

std::uint64_t KeyedHash::finish() noexcept {
    v2_ ^= 0xff;
    for (int i = 0; i < 4; ++i)
        round();
    return v0_ ^ v1_ ^ v2_ ^ v3_;
}

}  // namespace mitral::intake
