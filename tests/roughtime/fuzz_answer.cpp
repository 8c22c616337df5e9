// What a stranger's datagram can make the client read: as it is, and as if its signatures were
// good, so that what stands behind them is reached too.
#include <array>

#include "roughtime/clock.h"
#include "roughtime/openssl_crypto.hpp"

namespace {

// That of RFC 8032, section 7.1, test 1: `key` below is a point of small order, under which one
// signature in four that is all zeros is good.
constexpr std::array<std::uint8_t, ROUGHTIME_KEY_SIZE> authority{
    0xd7, 0x5a, 0x98, 0x01, 0x82, 0xb1, 0x0a, 0xb7, 0xd5, 0x4b, 0xfe, 0xd3, 0xc9, 0x64, 0x07, 0x3a,
    0x0e, 0xe1, 0x72, 0xf3, 0xda, 0xa6, 0x23, 0x25, 0xaf, 0x02, 0x1a, 0x68, 0xf7, 0x07, 0x51, 0x1a};

roughtime_result always(const void*, const std::uint8_t*, const std::uint8_t*, std::size_t,
                        const std::uint8_t*) {
    return ROUGHTIME_OK;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace mitral;
    static const std::array<std::uint8_t, ROUGHTIME_KEY_SIZE> key{1};
    static const std::array<std::uint8_t, ROUGHTIME_NONCE_SIZE> nonce{2};
    auto crypto = test::openssl_crypto();
    std::array<std::uint8_t, ROUGHTIME_REQUEST_SIZE> request{};
    roughtime_clock clock{};
    if (roughtime_ask(&clock, &crypto, key.data(), nonce.data(), 0, request.data()) != ROUGHTIME_OK)
        __builtin_trap();
    // Nobody signed this.
    if (roughtime_take(&clock, &crypto, authority.data(), data, size, 0, 0) == ROUGHTIME_OK)
        __builtin_trap();
    crypto.verify = always;
    if (roughtime_take(&clock, &crypto, key.data(), data, size, 0, 0) == ROUGHTIME_OK &&
        (!clock.known || clock.earliest_s < 0))
        __builtin_trap();
    return 0;
}
