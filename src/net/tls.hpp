// TLS over a non-blocking socket. Version floor 1.2 with ECDHE and AEAD suites only (RFC 9325
// §4.2), 1.3 preferred; no compression, no renegotiation, no tickets, no early data. Certificates
// are judged by pinned roots alone: the machine's trust store is never read.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "base/fd.hpp"
#include "base/result.hpp"
#include "net/error.hpp"

namespace mitral::net {

enum class TlsVersion : std::uint8_t { tls12, tls13 };

using CertificateChain = std::vector<base::Bytes>;  // DER, the peer's own certificate first

struct TlsClientOptions {
    std::vector<std::string> root_files;  // PEM, each a pinned root
    std::vector<std::string> roots_pem;   // the same as text (net/trust.hpp); at least one in all
    TlsVersion minimum = TlsVersion::tls12;
    std::string
        certificate_file;  // client certificate chain and key for mutual TLS; both empty: none
    std::string key_file;
};

struct TlsServerOptions {
    std::string certificate_file;  // PEM chain, leaf first
    std::string key_file;
    TlsVersion minimum = TlsVersion::tls12;
    bool request_client_certificate = false;  // taken without a verdict: the application judges it
    // PEM files. Not empty: a client needs a certificate that one of these authorities issued,
    // which may be intermediate ones (a ward's, below a hospital's).
    std::vector<std::string> client_roots{};
};

class TlsStream;

// Shared by all connections of one kind; immutable; thread-safe.
class TlsContext {
  public:
    [[nodiscard]] static base::Result<TlsContext> client(const TlsClientOptions& options);
    [[nodiscard]] static base::Result<TlsContext> server(const TlsServerOptions& options);
    TlsContext(TlsContext&&) noexcept;
    TlsContext& operator=(TlsContext&&) noexcept;
    ~TlsContext();

    // Takes the socket over. `server_name` is sent as SNI and must be in the certificate (RFC
    // 9525).
    [[nodiscard]] base::Result<TlsStream> connect(base::UniqueFd socket,
                                                  const std::string& server_name) const;
    [[nodiscard]] base::Result<TlsStream> accept(base::UniqueFd socket) const;

  private:
    struct State;
    explicit TlsContext(std::shared_ptr<State> state) noexcept;
    std::shared_ptr<State> state_;
};

// What an operation on a non-blocking stream came to.
struct IoOutcome {
    enum class Kind : std::uint8_t { done, want_read, want_write, closed };
    Kind kind = Kind::done;
    std::size_t bytes = 0;  // moved, when done
};

// One connection. Not thread-safe. After an error only destruction is left.
class TlsStream {
  public:
    TlsStream(TlsStream&&) noexcept;
    TlsStream& operator=(TlsStream&&) noexcept;
    ~TlsStream();

    // Until `done`. A refused certificate or version comes back as the NetError that says why.
    [[nodiscard]] base::Result<IoOutcome> handshake();
    [[nodiscard]] base::Result<IoOutcome> read(base::MutableByteView into);
    // May take less than all of `from`. After want_* call again with the same bytes first.
    [[nodiscard]] base::Result<IoOutcome> write(base::ByteView from);
    // Sends close_notify, best effort.
    void shutdown() noexcept;
    // Decrypted bytes wait that epoll will not announce.
    [[nodiscard]] bool pending() const noexcept;

    [[nodiscard]] int fd() const noexcept;
    [[nodiscard]] std::string version() const;  // "TLSv1.3"
    [[nodiscard]] std::string cipher() const;
    [[nodiscard]] base::Bytes peer_certificate() const;  // DER, empty without one
    // The same with the certificates sent beside it, in no order that can be relied on (RFC 8446
    // §4.4.2). Empty without one.
    [[nodiscard]] CertificateChain peer_chain() const;
    // Of the peer's certificate: its DNS names, or its common name where it has none (RFC 9525
    // §6.3). Whether it may be believed was decided in the handshake.
    [[nodiscard]] std::vector<std::string> peer_names() const;

  private:
    friend class TlsContext;
    struct State;
    explicit TlsStream(std::unique_ptr<State> state) noexcept;
    std::unique_ptr<State> state_;
};

}  // namespace mitral::net
