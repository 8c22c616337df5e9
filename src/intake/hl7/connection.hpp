// What the server keeps of one connection.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "base/clock.hpp"
#include "base/event_loop.hpp"
#include "intake/hl7/session.hpp"
#include "intake/hl7/token_bucket.hpp"
#include "net/address.hpp"
#include "net/stream.hpp"

namespace mitral::intake::hl7 {

using ConnectionKey = std::uint64_t;

// What whoever made a connection is told of it.
struct ConnectionEvents {
    std::function<void(ConnectionKey key)> ready;  // it can be written to
    std::function<void(bool useful)> gone;         // it has ended; whether a message came over it
};

struct Connection {
    Connection(ConnectionKey k, net::Stream s, net::Address a)
        : key(k), stream(std::move(s)), address(a) {}

    ConnectionKey key;
    net::Stream stream;
    net::Address address;
    Monitor* dialled = nullptr;      // whom we called; null: it called us
    std::optional<Session> session;  // once we know who it is
    std::shared_ptr<TokenBucket> pace;
    ConnectionEvents events;

    std::uint32_t interest = base::EventLoop::readable;
    bool wants_write = false;  // TLS has something of its own to write
    bool waits_for_answer = false;
    std::optional<base::EventLoop::TimerId> held_back;  // its monitor sends too fast
    base::MonotonicTime since;
    std::optional<base::MonotonicTime> deadline;
    std::uint64_t frames_at_deadline = 0;
    bool frame_began = false;  // the deadline is that of a frame
    std::size_t held_bytes = 0;

    [[nodiscard]] bool finished() const noexcept { return session && session->finished(); }
};

}  // namespace mitral::intake::hl7
