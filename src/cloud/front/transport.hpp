// What a Protocol speaks over: a Link itself, or a WebSocket on top of one. Single-threaded.
#pragma once

#include <memory>
#include <string_view>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/event_loop.hpp"
#include "base/result.hpp"
#include "net/tls.hpp"

namespace mitral::cloud::front {

class Transport {
  public:
    virtual ~Transport() = default;

    // Queues bytes for the end of this pass. A peer that lets the queue grow beyond
    // Link::output_limit is disconnected.
    virtual void send(base::ByteView bytes) = 0;
    // The same for an acknowledgement: it leaves only after the pool's commit of this pass
    // succeeded.
    virtual void send_after_commit(base::ByteView bytes) = 0;

    // Closes at the end of this pass, without waiting for a slow reader.
    virtual void close(std::string_view reason) = 0;
    // Writes what is queued first, for a few seconds at most; the protocol reads nothing more.
    virtual void close_when_sent(std::string_view reason) = 0;
    [[nodiscard]] virtual bool closing() const noexcept = 0;
    // A fault: from now on nothing passes either way, and the client is not told (Link::vanish).
    virtual void vanish() = 0;

    // Whoever speaks has shown who it is: it keeps its place when strangers crowd in (LinkPool).
    virtual void note_admitted() noexcept {}

    virtual void set_deadline(base::MonotonicTime at) = 0;
    virtual void clear_deadline() noexcept = 0;

    // What the client showed in its TLS handshake; nobody has judged it.
    [[nodiscard]] virtual net::CertificateChain certificates() const = 0;
    [[nodiscard]] virtual bool output_congested() const noexcept = 0;
    [[nodiscard]] virtual const base::Clock& clock() const noexcept = 0;
    [[nodiscard]] virtual base::EventLoop& loop() noexcept = 0;
};

// What the bytes of one connection mean. Callbacks may call any function of their Transport, which
// outlives them.
class Protocol {
  public:
    virtual ~Protocol() = default;
    // All input that was not taken before; returns how many bytes it takes from the front. An error
    // closes the connection.
    [[nodiscard]] virtual base::Result<std::size_t> on_bytes(base::ByteView input) = 0;
    // The output queue has room again.
    virtual void on_writable() {}
    // The deadline set with Transport::set_deadline has passed; the default closes.
    virtual void on_deadline();
    // Last call. The bytes that still wait in the output queue are lost.
    virtual void on_closed(std::string_view reason) { (void)reason; }

  protected:
    explicit Protocol(Transport& transport) noexcept : transport_(transport) {}
    [[nodiscard]] Transport& transport() const noexcept { return transport_; }

  private:
    Transport& transport_;
};

}  // namespace mitral::cloud::front
