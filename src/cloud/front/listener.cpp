#include "cloud/front/listener.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <utility>

#include "base/log.hpp"

namespace mitral::cloud::front {
namespace {

constexpr int accepts_per_pass = 64;  // a storm of reconnects must not starve the connected
constexpr base::Milliseconds pause_for{100};

base::Result<std::uint16_t> port_of(int fd) {
    sockaddr_storage address{};
    socklen_t size = sizeof(address);
    if (::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0)
        return base::fail_errno("ask for the port of a listening socket");
    if (address.ss_family == AF_INET6)
        return ntohs(reinterpret_cast<const sockaddr_in6&>(address).sin6_port);
    return ntohs(reinterpret_cast<const sockaddr_in&>(address).sin_port);
}

}  // namespace

Listener::Listener(LinkPool& pool, base::UniqueFd socket, const net::TlsContext* tls,
                   ProtocolFactory make_protocol)
    : pool_(pool),
      socket_(std::move(socket)),
      tls_(tls),
      make_protocol_(std::move(make_protocol)) {}

Listener::~Listener() {
    pool_.loop().unwatch(socket_.get());
    if (paused_)
        pool_.loop().cancel(resume_timer_);
}

base::Result<std::unique_ptr<Listener>> Listener::open(LinkPool& pool, base::UniqueFd socket,
                                                       const net::TlsContext* tls,
                                                       ProtocolFactory make_protocol) {
    MITRAL_TRY(const auto port, port_of(socket.get()));
    std::unique_ptr<Listener> listener(
        new Listener(pool, std::move(socket), tls, std::move(make_protocol)));
    listener->port_ = port;
    MITRAL_CHECK(listener->resume());
    return listener;
}

std::size_t Listener::drop_all(std::string_view reason) {
    return pool_.each_of(*this, [&](Link& link) { link.close(reason); });
}

std::size_t Listener::vanish_all() {
    return pool_.each_of(*this, [](Link& link) { link.vanish(); });
}

base::Status Listener::resume() {
    paused_ = false;
    return pool_.loop().watch(socket_.get(), base::EventLoop::readable,
                              [this](std::uint32_t) { accept_some(); });
}

void Listener::pause() {
    pool_.loop().unwatch(socket_.get());
    paused_ = true;
    resume_timer_ = pool_.loop().after(pause_for, [this] {
        if (const auto resumed = resume(); !resumed)
            base::log(base::Severity::error, "accept-stopped",
                      {{"port", port_}, {"cause", resumed.error().message()}});
    });
}

// Clients that only connect must not keep others out: where no handshake ends, nobody waits for it.
bool Listener::must_wait() noexcept {
    const auto now = pool_.clock().monotonic();
    if (std::exchange(handshakes_seen_, pool_.handshakes_done()) != handshakes_seen_ ||
        !pool_.handshakes_full())
        moved_at_ = now;
    return pool_.handshakes_full() && now - moved_at_ < pool_.handshake_patience();
}

void Listener::accept_some() {
    if (must_wait())
        return pause();
    for (int i = 0; i < accepts_per_pass; ++i) {
        if (pool_.full(is_local_)) {
            pool_.make_room(accepts_per_pass);
            return pause();
        }
        base::UniqueFd socket(
            ::accept4(socket_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
        if (socket.valid()) {
            accept_one(std::move(socket));
        } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            base::log(base::Severity::warning, "accept-paused",
                      {{"port", port_}, {"cause", "descriptors or memory used up"}});
            return pause();
        } else if (errno != EINTR && errno != ECONNABORTED) {
            return;
        }
    }
}

void Listener::accept_one(base::UniqueFd socket) {
    if (gate_ && !gate_())
        return;
    const int on = 1;
    (void)::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (tls_ == nullptr)
        return pool_.adopt(net::Stream(std::move(socket)), make_protocol_, origin());
    auto stream = tls_->accept(std::move(socket));
    if (!stream) {
        base::log(base::Severity::warning, "tls-accept-failed",
                  {{"cause", stream.error().message()}});
        return;
    }
    pool_.adopt(net::Stream(*std::move(stream)), make_protocol_, origin());
}

}  // namespace mitral::cloud::front
