#include "cloud/mqtt/packet.hpp"

namespace mitral::cloud::mqtt {
namespace {

struct Sequence {  // the byte ranges of RFC 3629 §4: no overlong forms, no surrogates, nothing
                   // above U+10FFFF
    std::size_t length;
    unsigned char second_low;
    unsigned char second_high;
};

Sequence sequence_of(unsigned char lead) noexcept {
    if (lead >= 0xc2 && lead <= 0xdf)
        return {2, 0x80, 0xbf};
    if (lead == 0xe0)
        return {3, 0xa0, 0xbf};
    if (lead == 0xed)
        return {3, 0x80, 0x9f};
    if (lead >= 0xe1 && lead <= 0xef)
        return {3, 0x80, 0xbf};
    if (lead == 0xf0)
        return {4, 0x90, 0xbf};
    if (lead >= 0xf1 && lead <= 0xf3)
        return {4, 0x80, 0xbf};
    if (lead == 0xf4)
        return {4, 0x80, 0x8f};
    return {0, 0, 0};
}

bool continues(char c) noexcept {
    return (static_cast<unsigned char>(c) & 0xc0) == 0x80;
}

// But for U+0000 [MQTT-1.5.3-2].
bool is_plain_ascii(char c) noexcept {
    return c > 0 && static_cast<unsigned char>(c) < 0x80;
}

}  // namespace

bool is_mqtt_text(std::string_view text) noexcept {
    for (std::size_t i = 0; i < text.size();) {
        if (is_plain_ascii(text[i])) {
            ++i;
            continue;
        }
        const auto lead = static_cast<unsigned char>(text[i]);
        const auto [length, low, high] = sequence_of(lead);
        if (length == 0 || text.size() - i < length)
            return false;
        if (length > 1) {
            const auto second = static_cast<unsigned char>(text[i + 1]);
            if (second < low || second > high)
                return false;
        }
        for (std::size_t k = 2; k < length; ++k)
            if (!continues(text[i + k]))
                return false;
        i += length;
    }
    return true;
}

}  // namespace mitral::cloud::mqtt
