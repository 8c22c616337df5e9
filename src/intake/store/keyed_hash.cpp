#include "intake/store/keyed_hash.hpp"

#include <cstring>

namespace mitral::intake {

void KeyedHash::absorb(std::string_view text) noexcept {
    absorb(text.size());
    // In the machine's byte order: the hash never leaves the process.
    std::uint64_t word = 0;
    for (; text.size() >= sizeof word; text.remove_prefix(sizeof word)) {
        std::memcpy(&word, text.data(), sizeof word);
        absorb(word);
    }
    if (text.empty())
        return;
    word = 0;
    for (const char c : text)
        word = word << 8 | static_cast<unsigned char>(c);
    absorb(word);
}

std::uint64_t KeyedHash::finish() noexcept {
    v2_ ^= 0xff;
    for (int i = 0; i < 4; ++i)
        round();
    return v0_ ^ v1_ ^ v2_ ^ v3_;
}

}  // namespace mitral::intake
