// Says in NetError terms why a handshake failed. Inside the room only: it knows OpenSSL.
#pragma once

#include <openssl/ssl.h>

#include <string>

#include "base/result.hpp"

namespace mitral::net {

// Takes the cause from the connection's verify result and the thread's error queue, which it
// empties.
[[nodiscard]] std::unexpected<base::Error> handshake_failure(const SSL* connection,
                                                             const std::string& peer);
// The newest entry of the error queue as text; empties the queue.
[[nodiscard]] std::string take_error_text();

}  // namespace mitral::net
