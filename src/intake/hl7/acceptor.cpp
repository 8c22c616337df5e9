#include "intake/hl7/acceptor.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <utility>

#include "base/log.hpp"

namespace mitral::intake::hl7 {
namespace {

constexpr int accepts_per_pass = 32;  // those who are connected come first
constexpr base::Milliseconds pause_for{100};

}  // namespace

Acceptor::Acceptor(base::EventLoop& loop, Listener listener, Handler accepted)
    : loop_(loop), listener_(std::move(listener)), accepted_(std::move(accepted)) {}

Acceptor::~Acceptor() {
    if (watching_)
        loop_.unwatch(listener_.socket.get());
    if (resume_timer_)
        loop_.cancel(*resume_timer_);
}

base::Status Acceptor::start() {
    MITRAL_CHECK(loop_.watch(listener_.socket.get(), base::EventLoop::readable,
                             [this](std::uint32_t) { accept_some(); }));
    watching_ = true;
    return {};
}

void Acceptor::accept_some() {
    for (int i = 0; i < accepts_per_pass; ++i) {
        base::UniqueFd socket(
            ::accept4(listener_.socket.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
        if (socket.valid()) {
            const int on = 1;
            (void)::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
            accepted_(std::move(socket), listener_.tls.get());
        } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            return pause();
        } else if (errno != EINTR && errno != ECONNABORTED) {
            return;
        }
    }
}

void Acceptor::pause() {
    base::log(base::Severity::warning, "accept-paused",
              {{"reason", "descriptors or memory are used up"}});
    loop_.unwatch(listener_.socket.get());
    watching_ = false;
    resume_timer_ = loop_.after(pause_for, [this] {
        resume_timer_.reset();
        if (const auto started = start(); !started)
            base::log(base::Severity::error, "accept-stopped",
                      {{"reason", started.error().message()}});
    });
}

}  // namespace mitral::intake::hl7
