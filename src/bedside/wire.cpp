#include "bedside/wire.hpp"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>

#include "base/errors.hpp"

namespace mitral::bedside {
namespace {

using base::fail_errno;
using base::Result;
using base::UniqueFd;
using net::IoOutcome;
using Kind = IoOutcome::Kind;

struct AddressListDeleter {
    void operator()(addrinfo* list) const noexcept { freeaddrinfo(list); }
};
using AddressList = std::unique_ptr<addrinfo, AddressListDeleter>;

Result<AddressList> numeric(const std::string& host, std::uint16_t port) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
    addrinfo* list = nullptr;
    if (getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &list) != 0)
        return base::fail(base::BaseError::invalid_setting,
                          "'" + host + "' is not a numeric address");
    return AddressList(list);
}

bool would_block() {
    return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

}  // namespace

Result<UniqueFd> dial(const net::Endpoint& to, const std::string& from) {
    MITRAL_TRY(const auto target, numeric(to.host, to.port));
    UniqueFd fd(::socket(target->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!fd.valid())
        return fail_errno("create a TCP socket");
    const int one = 1;
    (void)setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (!from.empty()) {
        MITRAL_TRY(const auto source, numeric(from, 0));
        (void)setsockopt(fd.get(), IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
        if (::bind(fd.get(), source->ai_addr, source->ai_addrlen) != 0)
            return fail_errno("send from " + from);
    }
    if (::connect(fd.get(), target->ai_addr, target->ai_addrlen) != 0 && errno != EINPROGRESS)
        return fail_errno("connect to " + to.host + ":" + std::to_string(to.port));
    return fd;
}

Wire::Wire(base::EventLoop& loop, UniqueFd socket, const net::TlsContext* tls,
           const std::string& server_name, bool server, Events events)
    : loop_(loop),
      socket_(std::move(socket)),
      tls_(tls),
      server_name_(server_name),
      server_(server),
      events_(std::move(events)) {}

Wire::~Wire() {
    *alive_ = false;
    if (pause_)
        loop_.cancel(*pause_);
    if (state_ != State::lost)
        loop_.unwatch(fd());
}

base::Status Wire::start() {
    interest_ = base::EventLoop::writable;
    return loop_.watch(fd(), interest_, [this](std::uint32_t ready) { on_ready(ready); });
}

void Wire::on_ready(std::uint32_t ready) {
    const auto alive = alive_;
    if (state_ == State::connecting) {
        finish_connecting();
        return;
    }
    if (state_ == State::shaking_hands) {
        shake_hands();
        return;
    }
    if ((ready & (base::EventLoop::readable | base::EventLoop::hung_up)) != 0)
        read_some();
    if (*alive && state_ == State::open && (ready & base::EventLoop::writable) != 0)
        write_some();
}

void Wire::finish_connecting() {
    int failure = 0;
    socklen_t size = sizeof failure;
    if (getsockopt(fd(), SOL_SOCKET, SO_ERROR, &failure, &size) != 0)
        failure = errno;
    if (failure != 0)
        return lose("connect: " + std::generic_category().message(failure));
    if (tls_ == nullptr) {
        return open_up();
    }
    // The stream takes the socket over; the loop keeps watching the same number.
    auto stream = server_ ? tls_->accept(std::move(socket_))
                          : tls_->connect(std::move(socket_), server_name_);
    if (!stream)
        return lose(stream.error().message());
    stream_ = std::move(*stream);
    state_ = State::shaking_hands;
    shake_hands();
}

void Wire::shake_hands() {
    const auto outcome = stream_->handshake();
    if (!outcome)
        return lose(outcome.error().message());
    if (outcome->kind == Kind::closed)
        return lose("closed during the handshake");
    if (outcome->kind != Kind::done)
        return want(outcome->kind == Kind::want_write ? base::EventLoop::writable
                                                      : base::EventLoop::readable);
    open_up();
}

void Wire::open_up() {
    state_ = State::open;
    opened_ = true;
    want(base::EventLoop::readable);
    events_.on_open();
}

void Wire::read_some() {
    const auto alive = alive_;
    std::array<std::uint8_t, 16 * 1024> buffer{};
    do {
        const auto outcome = read(buffer);
        if (!outcome)
            return lose(outcome.error().message());
        if (outcome->kind == Kind::closed)
            return lose("the gateway closed the connection");
        if (outcome->kind != Kind::done)
            return;
        frames_.feed(base::as_text(base::ByteView(buffer).first(outcome->bytes)));
        while (const auto frame = frames_.next()) {
            events_.on_answer(read_answer(*frame));
            if (!*alive || state_ != State::open)
                return;
        }
        if (frames_.overlong())
            return lose("an answer that does not end");
    } while (stream_ && stream_->pending());
}

void Wire::send(std::vector<Step> steps) {
    const bool resting = steps_.empty();
    for (auto& step : steps)
        steps_.push_back(std::move(step));
    if (resting && !steps_.empty() && state_ == State::open && !write_at_once())
        // The rest from the loop: the owner is in the middle of something, and a failing write
        // would call it back.
        want(interest_ | base::EventLoop::writable);
}

// The common case without a turn through the loop: one frame, and the socket takes it whole.
bool Wire::write_at_once() {
    const Step& step = steps_.front();
    if (steps_.size() > 1 || step.pause.count() > 0 || step.hang_up)
        return false;
    const auto outcome = write(base::as_bytes(step.bytes));
    if (!outcome || outcome->kind != Kind::done)
        return false;
    written_ = outcome->bytes;
    if (written_ < step.bytes.size())
        return false;
    steps_.pop_front();
    written_ = 0;
    return true;
}

void Wire::write_some() {
    const auto alive = alive_;
    while (!steps_.empty() && !pause_) {
        const Step& step = steps_.front();
        const auto outcome = write(base::as_bytes(step.bytes).subspan(written_));
        if (!outcome)
            return lose(outcome.error().message());
        if (outcome->kind == Kind::closed)
            return lose("the gateway closed the connection");
        if (outcome->kind != Kind::done)
            return;
        written_ += outcome->bytes;
        if (written_ < step.bytes.size())
            continue;
        if (!finish_step() || !*alive)
            return;
    }
    want(base::EventLoop::readable);
    if (steps_.empty())
        events_.on_idle();
}

// False: nothing more is written now.
bool Wire::finish_step() {
    const auto pause = steps_.front().pause;
    const bool hang_up = steps_.front().hang_up;
    if (pause.count() == 0) {
        steps_.pop_front();
        written_ = 0;
        if (hang_up)
            lose("hung up, as planned");
        return !hang_up;
    }
    want(base::EventLoop::readable);
    pause_ = loop_.after(pause, [this, hang_up] {
        pause_.reset();
        steps_.pop_front();
        written_ = 0;
        if (hang_up)
            return lose("hung up, as planned");
        if (steps_.empty())
            return events_.on_idle();
        want(interest_ | base::EventLoop::writable);
    });
    return false;
}

void Wire::want(std::uint32_t interest) {
    if (interest == interest_ || state_ == State::lost)
        return;
    interest_ = interest;
    if (const auto changed = loop_.modify(fd(), interest); !changed)
        lose(changed.error().message());
}

void Wire::lose(const std::string& why) {
    if (state_ == State::lost)
        return;
    state_ = State::lost;
    loop_.unwatch(fd());
    const auto tell = events_.on_lost;  // this may be gone before it returns
    tell(why);
}

Result<IoOutcome> Wire::read(base::MutableByteView into) {
    if (stream_)
        return stream_->read(into);
    const auto count = ::recv(fd(), into.data(), into.size(), 0);
    if (count > 0)
        return IoOutcome{Kind::done, static_cast<std::size_t>(count)};
    if (count == 0)
        return IoOutcome{Kind::closed, 0};
    if (would_block())
        return IoOutcome{Kind::want_read, 0};
    return fail_errno("read");
}

Result<IoOutcome> Wire::write(base::ByteView from) {
    if (stream_)
        return stream_->write(from);
    const auto count = ::send(fd(), from.data(), from.size(), MSG_NOSIGNAL);
    if (count >= 0)
        return IoOutcome{Kind::done, static_cast<std::size_t>(count)};
    if (would_block())
        return IoOutcome{Kind::want_write, 0};
    return fail_errno("write");
}

}  // namespace mitral::bedside
