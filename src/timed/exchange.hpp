// One question to a time authority, and what comes back. The packets are the trust zone's: nothing
// in them is read here but how long one is.
#pragma once

#include <functional>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "net/connect.hpp"

namespace mitral::timed {

enum class Transport { udp, tcp };

struct Server {
    net::Endpoint endpoint;
    Transport transport = Transport::udp;
};

constexpr std::size_t max_answer = 2048;  // bytes
// Datagrams that are looked at for one question: anybody can send some.
constexpr int max_datagrams = 8;

// True when this was the answer; false: wait for another.
using Taker = std::function<base::Result<bool>(base::ByteView answer)>;

// Blocks up to the timeout for each step. Errors: of the network, timed_out, or the taker's.
[[nodiscard]] base::Status exchange(const Server& server, base::ByteView request,
                                    base::Milliseconds timeout, const Taker& take);

}  // namespace mitral::timed
