#pragma once

#include <functional>
#include <memory>

#include "cloud/front/link_pool.hpp"
#include "net/tls.hpp"

namespace mitral::cloud::front {

// Accepts for one port. When the pool is full or descriptors run out it stops accepting for a
// moment: new clients wait in the kernel's queue instead of being cut off.
class Listener {
  public:
    // `tls` is null for the plain admin port and outlives the listener otherwise.
    [[nodiscard]] static base::Result<std::unique_ptr<Listener>> open(
        LinkPool& pool, base::UniqueFd socket, const net::TlsContext* tls,
        ProtocolFactory make_protocol);
    Listener(const Listener&) = delete;
    Listener& operator=(const Listener&) = delete;
    ~Listener();

    // Asked at every new connection; false closes it at once (a fault on demand).
    void set_gate(std::function<bool()> gate) { gate_ = std::move(gate); }
    // Only this machine can reach the port: its connections are no strangers.
    void set_local() noexcept { is_local_ = true; }
    // What became of a network or a hub, all at once; how many connections that strikes.
    std::size_t drop_all(std::string_view reason);
    std::size_t vanish_all();
    // Of the connections to come; outlives them.
    void set_lag(Lag& lag) { lag_ = &lag; }
    [[nodiscard]] std::uint16_t port() const noexcept { return port_; }

  private:
    Listener(LinkPool& pool, base::UniqueFd socket, const net::TlsContext* tls,
             ProtocolFactory make_protocol);
    [[nodiscard]] base::Status resume();
    void pause();
    [[nodiscard]] bool must_wait() noexcept;
    void accept_some();
    void accept_one(base::UniqueFd socket);
    [[nodiscard]] Origin origin() const noexcept { return {lag_, is_local_, this}; }

    LinkPool& pool_;
    base::UniqueFd socket_;
    const net::TlsContext* tls_;
    ProtocolFactory make_protocol_;
    std::function<bool()> gate_;
    Lag* lag_ = nullptr;
    bool is_local_ = false;
    std::uint16_t port_ = 0;
    std::uint64_t handshakes_seen_ = 0;
    base::MonotonicTime moved_at_{};  // handshakes, or there was room
    bool paused_ = false;
    base::EventLoop::TimerId resume_timer_{};
};

}  // namespace mitral::cloud::front
