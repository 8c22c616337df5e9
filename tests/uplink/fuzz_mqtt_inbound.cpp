// The hub is hostile: arbitrary bytes, in arbitrary pieces, between publishes and ticks.
#include <cstdlib>

#include "uplink/session.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace mitral;
    base::ManualClock clock(base::WallTime{0});
    uplink::Session session({.window = 16}, clock);
    if (!session.start("device", "user", base::as_bytes("token")))
        std::abort();
    base::Bytes wire;
    std::vector<uplink::Acknowledged> acknowledged;
    std::size_t published = 0;
    base::ByteView rest(data, size);
    while (!rest.empty() && session.state() != uplink::Session::State::failed) {
        session.consumed(session.output().size());
        const std::uint8_t command = rest.front();
        rest = rest.subspan(1);
        if (command < 0x20 && session.may_publish()) {
            if (!session.publish({0, published}, {"topic"},
                                 rest.first(std::min<std::size_t>(rest.size(), command))))
                std::abort();
            ++published;
        } else if (command < 0x28) {
            clock.advance(base::Milliseconds(command * 1'000));
            if (!session.tick())
                break;
        } else {
            const auto piece = rest.first(std::min<std::size_t>(rest.size(), command & 0x0F));
            rest = rest.subspan(piece.size());
            if (!session.receive(piece, acknowledged))
                break;
        }
    }
    // No acknowledgement without a message, none twice, and nothing but the four packets leaves.
    if (acknowledged.size() + session.in_flight() != published)
        std::abort();
    if (const auto out = session.output(); !out.empty() && out.front() != 0x10 &&
                                           out.front() != 0x32 && out.front() != 0xC0 &&
                                           out.front() != 0xE0)
        std::abort();
    return 0;
}
