// The opening handshake (RFC 6455 §4.2) as a server judges it.
#pragma once

#include <string>
#include <string_view>

#include "cloud/http/message.hpp"

namespace mitral::cloud::websocket {

// Sec-WebSocket-Accept for a Sec-WebSocket-Key (§4.2.2 item 5).
[[nodiscard]] std::string accept_key(std::string_view key);

// The offered subprotocol that is `wanted` but for its case, as the client wrote it; empty: none.
[[nodiscard]] std::string_view offered_subprotocol(const http::Request& request,
                                                   std::string_view wanted);

// 101 with all headers of the handshake when `request` opens a WebSocket and offers `subprotocol`;
// 400 with one line when not, 426 with the version of here for another version.
[[nodiscard]] http::Response answer_handshake(const http::Request& request,
                                              std::string_view subprotocol);

}  // namespace mitral::cloud::websocket
