// What a stranger's datagram can make the client read: as it is, and as if its signatures were
// good, so that what stands behind them is reached too.
#include <array>

#include "roughtime/clock.h"
#include "roughtime/openssl_crypto.hpp"

namespace {

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
    if (roughtime_take(&clock, &crypto, key.data(), data, size, 0, 0) == ROUGHTIME_OK)
        __builtin_trap();
    crypto.verify = always;
    if (roughtime_take(&clock, &crypto, key.data(), data, size, 0, 0) == ROUGHTIME_OK &&
        (!clock.known || clock.earliest_s < 0))
        __builtin_trap();
    return 0;
}
