#include "base/encoding.hpp"

#include <array>

#include "base/errors.hpp"

namespace mitral::base {
namespace {

constexpr std::string_view alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

constexpr std::array<std::int8_t, 256> sextets = [] {
    std::array<std::int8_t, 256> table{};
    table.fill(-1);
    for (std::size_t i = 0; i < alphabet.size(); ++i)
        table[static_cast<unsigned char>(alphabet[i])] = static_cast<std::int8_t>(i);
    return table;
}();

int nibble(char c) {
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

// The decoded size, or an error when the length or the padding cannot be right.
Result<std::size_t> base64_size(std::string_view text) {
    if (text.size() % 4 != 0)
        return fail(BaseError::malformed, "base64 length is not a multiple of 4");
    std::size_t padding = 0;
    while (padding < 2 && padding < text.size() && text[text.size() - 1 - padding] == '=')
        ++padding;
    return text.size() / 4 * 3 - padding;
}

Status decode_base64(std::string_view text, MutableByteView out) {
    std::size_t written = 0;
    std::uint32_t bits = 0;
    unsigned count = 0;
    const std::size_t symbols = text.find_last_not_of('=') + 1;
    for (const char c : text.substr(0, symbols)) {
        const auto sextet = sextets[static_cast<unsigned char>(c)];
        if (sextet < 0)
            return fail(BaseError::malformed, "character outside the base64 alphabet");
        bits = bits << 6 | static_cast<std::uint32_t>(sextet);
        count += 6;
        if (count >= 8) {
            count -= 8;
            if (written == out.size())
                return fail(BaseError::malformed, "base64 padding");
            out[written++] = static_cast<std::uint8_t>(bits >> count);
            bits &= (1U << count) - 1U;
        }
    }
    if (written != out.size() || bits != 0)
        return fail(BaseError::malformed, "base64 padding");
    return {};
}

}  // namespace

std::string to_hex(ByteView bytes) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string text;
    text.reserve(bytes.size() * 2);
    for (const std::uint8_t byte : bytes) {
        text.push_back(digits[byte >> 4]);
        text.push_back(digits[byte & 15U]);
    }
    return text;
}

Result<Bytes> from_hex(std::string_view text) {
    if (text.size() % 2 != 0)
        return fail(BaseError::malformed, "odd number of hexadecimal digits");
    Bytes bytes;
    bytes.reserve(text.size() / 2);
    for (std::size_t i = 0; i < text.size(); i += 2) {
        const int high = nibble(text[i]);
        const int low = nibble(text[i + 1]);
        if (high < 0 || low < 0)
            return fail(BaseError::malformed, "not a hexadecimal digit");
        bytes.push_back(static_cast<std::uint8_t>(high << 4 | low));
    }
    return bytes;
}

// Room first, then by index: it is most of what a line of the local Azure's log costs.
void append_base64(ByteView bytes, std::string& out) {
    const auto begin = out.size();
    out.resize(begin + (bytes.size() + 2) / 3 * 4, '=');
    auto symbol = out.begin() + static_cast<std::ptrdiff_t>(begin);
    for (; bytes.size() >= 3; bytes = bytes.subspan(3)) {
        const std::uint32_t group = static_cast<std::uint32_t>(bytes[0]) << 16 |
                                    static_cast<std::uint32_t>(bytes[1]) << 8 | bytes[2];
        *symbol++ = alphabet[group >> 18];
        *symbol++ = alphabet[group >> 12 & 63U];
        *symbol++ = alphabet[group >> 6 & 63U];
        *symbol++ = alphabet[group & 63U];
    }
    if (bytes.empty())
        return;
    const std::uint32_t rest = static_cast<std::uint32_t>(bytes[0]) << 16 |
                               (bytes.size() > 1 ? static_cast<std::uint32_t>(bytes[1]) << 8 : 0U);
    *symbol++ = alphabet[rest >> 18];
    *symbol++ = alphabet[rest >> 12 & 63U];
    if (bytes.size() > 1)
        *symbol = alphabet[rest >> 6 & 63U];
}

std::string to_base64(ByteView bytes) {
    std::string text;
    append_base64(bytes, text);
    return text;
}

Result<Bytes> from_base64(std::string_view text) {
    MITRAL_TRY(const auto size, base64_size(text));
    Bytes bytes(size);
    MITRAL_CHECK(decode_base64(text, bytes));
    return bytes;
}

Result<Secret> secret_from_base64(std::string_view text) {
    MITRAL_TRY(const auto size, base64_size(text));
    Secret secret(size);
    MITRAL_CHECK(decode_base64(text, secret.bytes()));
    return secret;
}

}  // namespace mitral::base
