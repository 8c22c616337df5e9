#include "uplink/link.hpp"

#include <fmt/format.h>

#include "base/errors.hpp"
#include "base/fail_point.hpp"
#include "uplink/error.hpp"

namespace mitral::uplink {
namespace {

using base::EventLoop;
using Kind = net::IoOutcome::Kind;

// Many messages a TLS write, but never more than this waiting unencrypted (plus one message).
constexpr std::size_t write_bound = 64 * 1024;
constexpr std::size_t read_size = 16 * 1024;  // one TLS record
constexpr int reads_at_once = 64;             // then others get their turn
constexpr int rounds_at_once = 16;
constexpr base::Milliseconds much_too_early{1'000};
constexpr base::Milliseconds gathering{1};
// A smaller window is answered within less, and would only stand still.
constexpr std::uint16_t gathering_pays_from = 400;

}  // namespace

Link::Link(EventLoop& loop, const base::Clock& clock, net::TlsStream stream,
           Credentials credentials, Options options, Handlers handlers)
    : loop_(loop),
      clock_(clock),
      stream_(std::move(stream)),
      credentials_(std::move(credentials)),
      options_(options),
      handlers_(std::move(handlers)),
      session_(options.session, clock),
      started_(clock.monotonic()),
      inbound_(read_size) {}

Link::~Link() {
    close();
}

base::Status Link::start() {
    MITRAL_CHECK(loop_.watch(stream_.fd(), EventLoop::readable | EventLoop::writable,
                             [this](std::uint32_t) { on_ready(); }));
    arm_timer();
    return {};
}

void Link::close() noexcept {
    if (!open_)
        return;
    open_ = false;
    loop_.unwatch(stream_.fd());
    for (auto* timer : {&timer_, &pause_}) {
        if (*timer)
            loop_.cancel(**timer);
        timer->reset();
    }
    if (secured_)
        stream_.shutdown();
}

void Link::fail(const base::Error& error) {
    if (!open_)
        return;
    close();
    handlers_.down(error);
}

void Link::on_ready() {
    if (!open_)
        return;
    if (!secured_) {
        if (const auto step = advance_handshake(); !step)
            return fail(step.error());
        if (!secured_)
            return update_interest();
    }
    const auto before = session_.state();
    const auto read = read_all();
    const bool answered = !acknowledged_.empty();
    if (answered) {  // also what came before a failure counts
        MITRAL_FAIL_POINT("uplink.puback-received");
        handlers_.acknowledged(acknowledged_);
        acknowledged_.clear();
    }
    if (!read)
        return fail(read.error());
    if (!open_)
        return;
    if (before == Session::State::connecting && session_.state() == Session::State::up)
        handlers_.up();
    drive();
    if (answered)
        let_answers_gather();
}

void Link::drive() {
    for (int round = 0; round < rounds_at_once && open_; ++round) {
        if (session_.state() == Session::State::up)
            handlers_.writable();
        const bool idle = session_.output().empty();
        flush();
        if (idle || wants_write_)
            return;
    }
}

// With a full window nothing can be sent before answers come, and most hubs send each in a record
// of its own: waking for every one costs more than all the rest. So the next ones gather for a
// moment. (Not SO_RCVLOWAT: who does not read acknowledges late, and a hub with Nagle's algorithm
// waits for that: 40 ms a window.)
void Link::let_answers_gather() {
    const bool full = session_.state() == Session::State::up && !session_.may_publish();
    if (!open_ || pause_ || !full || session_.in_flight() < gathering_pays_from)
        return;
    pause_ = loop_.after(gathering, [this] {
        pause_.reset();
        update_interest();
        on_ready();
    });
    update_interest();
}

base::Status Link::advance_handshake() {
    MITRAL_TRY(const net::IoOutcome outcome, stream_.handshake());
    wants_write_ = outcome.kind == Kind::want_write;
    if (outcome.kind == Kind::closed)
        return base::fail(UplinkError::link_closed, "during the TLS handshake");
    if (outcome.kind != Kind::done)
        return {};
    secured_ = true;
    MITRAL_FAIL_POINT("uplink.tls-secured");
    const auto begun =
        session_.start(credentials_.client_id, credentials_.username, credentials_.token.view());
    credentials_.token = {};  // wiped: the session holds it until CONNECT is out, and no longer
    return begun;
}

base::Status Link::read_all() {
    for (int i = 0; i < reads_at_once || stream_.pending(); ++i) {
        auto outcome = stream_.read(inbound_);
        if (!outcome)
            return base::fail(UplinkError::link_closed, outcome.error().message());
        if (outcome->kind == Kind::closed)
            return base::fail(
                UplinkError::link_closed,
                session_.state() == Session::State::connecting
                    ? "before CONNACK"
                    : fmt::format("with {} messages not acknowledged", session_.in_flight()));
        if (outcome->kind != Kind::done)
            return {};
        MITRAL_CHECK(
            session_.receive(base::ByteView(inbound_).first(outcome->bytes), acknowledged_));
    }
    return {};
}

base::Status Link::write_all() {
    wants_write_ = false;
    while (!session_.output().empty()) {
        auto outcome = stream_.write(session_.output());
        if (!outcome)
            return base::fail(UplinkError::link_closed, outcome.error().message());
        if (outcome->kind == Kind::closed)
            return base::fail(UplinkError::link_closed, "while writing");
        if (outcome->kind != Kind::done) {
            wants_write_ = outcome->kind == Kind::want_write;
            return {};
        }
        session_.consumed(outcome->bytes);
        if (session_.state() == Session::State::up)
            MITRAL_FAIL_POINT("uplink.publish-written");
    }
    return {};
}

void Link::flush() {
    if (!open_ || !secured_)
        return;
    // The hub may have said why before it closed: what can be read is read before writing fails.
    if (const auto written = write_all(); !written) {
        const auto read = read_all();
        if (!acknowledged_.empty()) {
            handlers_.acknowledged(acknowledged_);
            acknowledged_.clear();
        }
        const bool says_why = !read && read.error().code != UplinkError::link_closed;
        return fail(says_why ? read.error() : written.error());
    }
    update_interest();
    arm_timer();
}

void Link::update_interest() {
    const std::uint32_t wanted =
        (pause_ ? 0U : EventLoop::readable) | (wants_write_ ? EventLoop::writable : 0U);
    if (!open_ || wanted == interest_)
        return;
    if (const auto set = loop_.modify(stream_.fd(), wanted); !set)
        return fail(set.error());
    interest_ = wanted;
}

bool Link::may_publish() const noexcept {
    return open_ && session_.may_publish() && session_.output().size() < write_bound;
}

base::Status Link::publish(Tag tag, Topic topic, base::ByteView payload) {
    return session_.publish(tag, topic, payload);
}

void Link::disconnect() {
    session_.disconnect();
    flush();
}

void Link::arm_timer() {
    if (!open_)
        return;
    const auto due =
        secured_ ? session_.next_deadline() : std::optional(started_ + options_.handshake_timeout);
    // A deadline that only moves away (every message sent moves the keep-alive) leaves the timer
    // alone: it fires once too early and is set anew. Not on a link at rest, which nothing wakes
    // but its keep-alive.
    const bool at_rest = session_.in_flight() == 0;
    const bool fires_in_time = timer_ && timer_due_ && (!due || *timer_due_ <= *due);
    if (fires_in_time && !(at_rest && due && *due - *timer_due_ >= much_too_early))
        return;
    if (timer_)
        loop_.cancel(*timer_);
    timer_.reset();
    if (!due)
        return;
    timer_due_ = due;
    timer_ = loop_.after(*due - clock_.monotonic() + base::Milliseconds(1), [this] { on_timer(); });
}

void Link::on_timer() {
    timer_.reset();
    if (!open_)
        return;
    if (!secured_) {
        if (clock_.monotonic() >= started_ + options_.handshake_timeout)
            return fail({make_error_code(base::BaseError::timed_out), "TLS handshake"});
        return arm_timer();
    }
    if (const auto kept = session_.tick(); !kept)
        return fail(kept.error());
    flush();
}

}  // namespace mitral::uplink
