// Stands in for net/tls.cpp: the bytes go over TCP as they are.
#include <sys/socket.h>

#include <cerrno>

#include "base/errors.hpp"
#include "bench/plain/marker.hpp"
#include "net/tls.hpp"

namespace mitral::net {

struct TlsContext::State {};
struct TlsStream::State {
    base::UniqueFd socket;
};

TlsContext::TlsContext(std::shared_ptr<State> state) noexcept : state_(std::move(state)) {}
TlsContext::TlsContext(TlsContext&&) noexcept = default;
TlsContext& TlsContext::operator=(TlsContext&&) noexcept = default;
TlsContext::~TlsContext() = default;

base::Result<TlsContext> TlsContext::client(const TlsClientOptions&) {
    return TlsContext(std::make_shared<State>());
}

base::Result<TlsContext> TlsContext::server(const TlsServerOptions&) {
    return base::fail(base::BaseError::not_supported, "bench");
}

base::Result<TlsStream> TlsContext::connect(base::UniqueFd socket, const std::string&) const {
    return TlsStream(std::make_unique<TlsStream::State>(TlsStream::State{std::move(socket)}));
}

base::Result<TlsStream> TlsContext::accept(base::UniqueFd) const {
    return base::fail(base::BaseError::not_supported, "bench");
}

TlsStream::TlsStream(std::unique_ptr<State> state) noexcept : state_(std::move(state)) {}
TlsStream::TlsStream(TlsStream&&) noexcept = default;
TlsStream& TlsStream::operator=(TlsStream&&) noexcept = default;
TlsStream::~TlsStream() = default;

namespace {

base::Result<IoOutcome> moved(ssize_t count, IoOutcome::Kind wait) {
    if (count > 0)
        return IoOutcome{IoOutcome::Kind::done, static_cast<std::size_t>(count)};
    if (count == 0)
        return IoOutcome{IoOutcome::Kind::closed, 0};
    if (errno == EAGAIN)
        return IoOutcome{wait, 0};
    return base::fail_errno("plain TCP");
}

}  // namespace

base::Result<IoOutcome> TlsStream::handshake() {
    return IoOutcome{};
}

base::Result<IoOutcome> TlsStream::read(base::MutableByteView into) {
    return moved(::recv(fd(), into.data(), into.size(), 0), IoOutcome::Kind::want_read);
}

base::Result<IoOutcome> TlsStream::write(base::ByteView from) {
    return moved(::send(fd(), from.data(), from.size(), MSG_NOSIGNAL), IoOutcome::Kind::want_write);
}

void TlsStream::shutdown() noexcept {}

bool TlsStream::pending() const noexcept {
    return false;
}

int TlsStream::fd() const noexcept {
    return state_->socket.get();
}

std::string TlsStream::version() const {
    return "none";
}

std::string TlsStream::cipher() const {
    return "none";
}

base::Bytes TlsStream::peer_certificate() const {
    return {};
}

}  // namespace mitral::net
