// One accepted connection as bytes: TLS, or plain TCP on the loopback admin port. WebSocket will
// become a protocol above it, not a third kind.
#pragma once

#include <variant>

#include "base/fd.hpp"
#include "net/tls.hpp"

namespace mitral::cloud::front {

class Stream {
  public:
    explicit Stream(net::TlsStream tls) : stream_(std::move(tls)) {}
    explicit Stream(base::UniqueFd plain) : stream_(std::move(plain)) {}

    [[nodiscard]] base::Result<net::IoOutcome> handshake();
    [[nodiscard]] base::Result<net::IoOutcome> read(base::MutableByteView into);
    [[nodiscard]] base::Result<net::IoOutcome> write(base::ByteView from);
    void shutdown() noexcept;
    [[nodiscard]] bool pending() const noexcept;
    [[nodiscard]] int fd() const noexcept;

  private:
    std::variant<net::TlsStream, base::UniqueFd> stream_;
};

}  // namespace mitral::cloud::front
