// One connection to the vault's socket, made anew when the daemon was restarted. For the clients of
// this room.
#pragma once

#include <string>

#include "base/clock.hpp"
#include "base/fd.hpp"
#include "base/secret.hpp"
#include "vault/protocol.hpp"

namespace mitral::vault {

class Connection {
  public:
    // `timeout` bounds each call.
    [[nodiscard]] static base::Result<Connection> open(const std::string& path,
                                                       base::Milliseconds timeout);

    // The datagram that answers; it may hold a key. A request that was sent is never repeated.
    [[nodiscard]] base::Result<base::Secret> ask(const Request& request);

  private:
    Connection(std::string path, base::Milliseconds timeout, base::UniqueFd fd)
        : path_(std::move(path)), timeout_(timeout), fd_(std::move(fd)) {}
    [[nodiscard]] base::Status reconnect();
    [[nodiscard]] base::Status send(base::ByteView message);
    [[nodiscard]] std::unexpected<base::Error> lost(const base::Error& error);

    std::string path_;
    base::Milliseconds timeout_;
    base::UniqueFd fd_;
};

}  // namespace mitral::vault
