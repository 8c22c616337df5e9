// Says in NetError terms why a handshake failed. Inside the room only: it knows OpenSSL.
#pragma once

#include <openssl/ssl.h>

#include <string>

#include "base/result.hpp"
#include "net/error.hpp"

namespace mitral::net {

// Takes the cause from the connection's verify result and the thread's error queue, which it
// empties.
[[nodiscard]] std::unexpected<base::Error> handshake_failure(const SSL* connection,
                                                             const std::string& peer);
// The newest entry of the error queue as text; empties the queue.
[[nodiscard]] std::string take_error_text();
// `error`, with what the error queue says.
[[nodiscard]] std::unexpected<base::Error> library_failure(const std::string& doing,
                                                           NetError error);

}  // namespace mitral::net
