#include <array>
#include <cstring>

#include "base/crypto.hpp"

#if defined(__aarch64__)
#include <arm_acle.h>
#endif

namespace mitral::base {
namespace {

constexpr std::array<std::uint32_t, 256> table = [] {
    constexpr std::uint32_t reflected_polynomial = 0x82F63B78;
    std::array<std::uint32_t, 256> entries{};
    for (std::uint32_t i = 0; i < 256; ++i) {
        std::uint32_t crc = i;
        for (int bit = 0; bit < 8; ++bit)
            crc = (crc >> 1) ^ ((crc & 1U) != 0 ? reflected_polynomial : 0U);
        entries[i] = crc;
    }
    return entries;
}();

std::uint32_t portable(std::uint32_t crc, ByteView data) noexcept {
    for (const std::uint8_t byte : data)
        crc = (crc >> 8) ^ table[(crc ^ byte) & 0xFFU];
    return crc;
}

#if defined(__x86_64__)

// Eight bytes an instruction: the spool checks every record it writes and reads.
__attribute__((target("sse4.2"))) std::uint32_t hardware(std::uint32_t crc,
                                                         ByteView data) noexcept {
    std::uint64_t wide = crc;
    while (data.size() >= 8) {
        std::uint64_t word = 0;
        std::memcpy(&word, data.data(), 8);
        wide = __builtin_ia32_crc32di(wide, word);
        data = data.subspan(8);
    }
    return portable(static_cast<std::uint32_t>(wide), data);
}

bool has_hardware() noexcept {
    return __builtin_cpu_supports("sse4.2") != 0;
}

#elif defined(__ARM_FEATURE_CRC32)

std::uint32_t hardware(std::uint32_t crc, ByteView data) noexcept {
    while (data.size() >= 8) {
        std::uint64_t word = 0;
        std::memcpy(&word, data.data(), 8);
        crc = __crc32cd(crc, word);
        data = data.subspan(8);
    }
    return portable(crc, data);
}

bool has_hardware() noexcept {
    return true;
}

#else

std::uint32_t hardware(std::uint32_t crc, ByteView data) noexcept {
    return portable(crc, data);
}
bool has_hardware() noexcept {
    return false;
}

#endif

}  // namespace

std::uint32_t crc32c(ByteView data, std::uint32_t previous) noexcept {
    static const bool fast = has_hardware();
    return ~(fast ? hardware(~previous, data) : portable(~previous, data));
}

}  // namespace mitral::base
