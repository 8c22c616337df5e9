// One connection as bytes: TLS, or plain TCP. The socket is non-blocking.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "base/fd.hpp"
#include "net/tls.hpp"

namespace mitral::net {

class Stream {
  public:
    explicit Stream(TlsStream tls) : stream_(std::move(tls)) {}
    explicit Stream(base::UniqueFd plain) : stream_(std::move(plain)) {}

    [[nodiscard]] base::Result<IoOutcome> handshake();
    [[nodiscard]] base::Result<IoOutcome> read(base::MutableByteView into);
    [[nodiscard]] base::Result<IoOutcome> write(base::ByteView from);
    void shutdown() noexcept;
    [[nodiscard]] bool pending() const noexcept;
    [[nodiscard]] int fd() const noexcept;
    // None over plain TCP.
    [[nodiscard]] CertificateChain peer_chain() const;
    // Of the peer's certificate; none over plain TCP.
    [[nodiscard]] std::vector<std::string> peer_names() const;

  private:
    std::variant<TlsStream, base::UniqueFd> stream_;
};

}  // namespace mitral::net
