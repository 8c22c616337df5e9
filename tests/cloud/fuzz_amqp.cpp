// AMQP as a hostile peer sends it before it has shown a token: whole, and in pieces of the size
// that the first byte says. Nothing is attached but what leads to a token.
#include <algorithm>
#include <cstdlib>

#include "cloud/amqp_stand.hpp"

namespace {

using mitral::base::ByteView;
using mitral::cloud::test::AmqpStand;
using mitral::cloud::test::FakeTransport;

void hear(AmqpStand& stand, ByteView input, std::size_t step) {
    FakeTransport below(*stand.loop, stand.clock);
    auto connection = stand.endpoint.accept(below);
    while (!input.empty() && !below.closing()) {
        const auto piece = input.first(std::min(step, input.size()));
        const auto taken = connection->on_bytes(piece);
        if (!taken)
            break;
        if (*taken > piece.size() || (*taken < piece.size() && !below.closing()))
            std::abort();
        input = input.subspan(piece.size());
    }
    connection->on_closed("end of input");
}

}  // namespace

// The library forgets the name of a mechanism when a second one comes in the same read.
extern "C" const char* __lsan_default_suppressions();
extern "C" const char* __lsan_default_suppressions() {
    return "leak:libqpid-proton";
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static AmqpStand stand;
    if (size == 0)
        return 0;
    const auto input = ByteView(data, size).subspan(1);
    hear(stand, input, size);
    hear(stand, input, std::size_t{1} + data[0]);
    return 0;
}
