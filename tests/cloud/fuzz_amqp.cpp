// AMQP as a hostile peer sends it: whole, and in pieces of the size that the first byte says. With
// its upper bit the peer has signed in before and may attach to everything; else it has no token,
// and nothing is attached but what leads to one.
#include <algorithm>
#include <cstdlib>

#include "cloud/amqp_stand.hpp"

namespace {

using mitral::base::ByteView;
using mitral::base::Milliseconds;
using mitral::cloud::test::AmqpStand;
using mitral::cloud::test::FakeTransport;

// With events in the log, and a device that messages can be sent to.
struct Stand : AmqpStand {
    Stand() {
        mitral::cloud::log::Entry entry{};
        entry.enqueued = clock.wall();
        for (const auto* device : {"a", "b", "c", "d"}) {
            entry.device = device;
            log.append(entry);
        }
        if (!log.commit() || !state->registry.create({.id = "a"}))
            std::abort();
    }
};

void say(mitral::cloud::front::Protocol& connection, FakeTransport& below, ByteView input,
         std::size_t step) {
    while (!input.empty() && !below.closing()) {
        const auto piece = input.first(std::min(step, input.size()));
        const auto taken = connection.on_bytes(piece);
        if (!taken)
            return;
        if (*taken > piece.size() || (*taken < piece.size() && !below.closing()))
            std::abort();
        input = input.subspan(piece.size());
    }
}

void hear(AmqpStand& stand, ByteView input, std::size_t step, bool signed_in) {
    FakeTransport below(*stand.loop, stand.clock);
    const auto connection = stand.endpoint.accept(below);
    if (signed_in) {
        const auto first = mitral::cloud::test::signed_in_as(stand, "service");
        say(*connection, below, mitral::base::as_bytes(first), first.size());
        if (below.closing())
            std::abort();
    }
    say(*connection, below, input, step);
    if (!stand.loop->run_once(Milliseconds(0)))
        std::abort();
    stand.news.notify();
    if (!below.closing()) {
        stand.clock.advance(Milliseconds(300'000));  // longer than the silence that is borne
        connection->on_deadline();
        if (!below.closing())
            std::abort();
    }
    connection->on_closed("end of input");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static Stand stand;
    if (size == 0)
        return 0;
    const auto input = ByteView(data, size).subspan(1);
    const bool signed_in = (data[0] & 0x80) != 0;
    hear(stand, input, size, signed_in);
    hear(stand, input, std::size_t{1} + (data[0] & 0x7f), signed_in);
    return 0;
}
