#include "net/stream.hpp"

#include <sys/socket.h>

#include <cerrno>

namespace mitral::net {
namespace {

using Kind = IoOutcome::Kind;

bool would_block() {
    return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

base::Result<IoOutcome> read_plain(int fd, base::MutableByteView into) {
    const auto count = ::recv(fd, into.data(), into.size(), 0);
    if (count > 0)
        return IoOutcome{Kind::done, static_cast<std::size_t>(count)};
    if (count == 0)
        return IoOutcome{Kind::closed, 0};
    if (would_block())
        return IoOutcome{Kind::want_read, 0};
    return base::fail_errno("read from the connection");
}

base::Result<IoOutcome> write_plain(int fd, base::ByteView from) {
    const auto count = ::send(fd, from.data(), from.size(), MSG_NOSIGNAL);
    if (count >= 0)
        return IoOutcome{Kind::done, static_cast<std::size_t>(count)};
    if (would_block())
        return IoOutcome{Kind::want_write, 0};
    return base::fail_errno("write to the connection");
}

}  // namespace

base::Result<IoOutcome> Stream::handshake() {
    if (auto* tls = std::get_if<TlsStream>(&stream_))
        return tls->handshake();
    return IoOutcome{};
}

base::Result<IoOutcome> Stream::read(base::MutableByteView into) {
    if (auto* tls = std::get_if<TlsStream>(&stream_))
        return tls->read(into);
    return read_plain(fd(), into);
}

base::Result<IoOutcome> Stream::write(base::ByteView from) {
    if (auto* tls = std::get_if<TlsStream>(&stream_))
        return tls->write(from);
    return write_plain(fd(), from);
}

void Stream::shutdown() noexcept {
    if (auto* tls = std::get_if<TlsStream>(&stream_))
        tls->shutdown();
    else
        (void)::shutdown(fd(), SHUT_WR);
}

bool Stream::pending() const noexcept {
    const auto* tls = std::get_if<TlsStream>(&stream_);
    return tls != nullptr && tls->pending();
}

int Stream::fd() const noexcept {
    if (const auto* tls = std::get_if<TlsStream>(&stream_))
        return tls->fd();
    return std::get<base::UniqueFd>(stream_).get();
}

CertificateChain Stream::peer_chain() const {
    const auto* tls = std::get_if<TlsStream>(&stream_);
    return tls != nullptr ? tls->peer_chain() : CertificateChain();
}

std::vector<std::string> Stream::peer_names() const {
    const auto* tls = std::get_if<TlsStream>(&stream_);
    return tls != nullptr ? tls->peer_names() : std::vector<std::string>();
}

}  // namespace mitral::net
