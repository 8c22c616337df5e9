#include "intake/hl7/server.hpp"

#include <algorithm>
#include <utility>

#include "base/log.hpp"

namespace mitral::intake::hl7 {

using base::EventLoop;
using Kind = net::IoOutcome::Kind;

Server::Server(EventLoop& loop, spool::Writer& writer, const base::Clock& clock,
               ServerLimits limits, Monitors& monitors, Interpreter& interpreter)
    : loop_(loop),
      writer_(writer),
      clock_(clock),
      limits_(limits),
      monitors_(monitors),
      interpreter_(interpreter),
      store_(writer, counters_),
      group_(loop, store_, limits.group, [this](bool committed) { answer(committed); }),
      upkeep_(
          loop, writer, clock, [this] { group_.close(); }, [this] { tell_change(); }),
      deadlines_(loop, clock, [this](base::MonotonicTime now) { return sweep(now); }),
      paces_(limits.messages_per_s),
      refused_(clock) {
    upkeep_.schedule();
}

Server::~Server() {
    for (const auto& [key, connection] : connections_) {
        loop_.unwatch(connection->stream.fd());
        if (connection->held_back)
            loop_.cancel(*connection->held_back);
    }
}

Counters Server::counters() const noexcept {
    Counters counters = counters_;
    counters.rejected = refused_.total();
    return counters;
}

void Server::tell_change() {
    if (changed_)
        changed_();
}

// ── coming ───────────────────────────────────────────────────────────────────────────────────────

base::Status Server::listen(Listener listener) {
    auto acceptor = std::make_unique<Acceptor>(
        loop_, std::move(listener), [this](base::UniqueFd socket, const net::TlsContext* tls) {
            accepted(std::move(socket), tls);
        });
    MITRAL_CHECK(acceptor->start());
    acceptors_.push_back(std::move(acceptor));
    return {};
}

void Server::accepted(base::UniqueFd socket, const net::TlsContext* tls) {
    const auto address = net::Address::of_peer(socket.get());
    if (!address)
        return;  // gone again
    ++counters_.connections;
    if (!monitors_.known(*address))
        return refused_.note(*address, "no monitor is configured at this address");
    if (const auto reason = make_place(*address); !reason.empty())
        return refused_.note(*address, reason);
    std::optional<net::Stream> stream;
    if (tls == nullptr) {
        stream.emplace(std::move(socket));
    } else {
        auto accepted_tls = tls->accept(std::move(socket));
        if (!accepted_tls)
            return refused_.note(*address, accepted_tls.error().message());
        stream.emplace(std::move(*accepted_tls));
    }
    const auto key = add(std::make_unique<Connection>(next_key_++, std::move(*stream), *address));
    if (!key)
        return refused_.note(*address, key.error().message());
    shake_hands(*connections_.at(*key));
}

base::Status Server::adopt(net::Stream stream, Monitor& monitor, ConnectionEvents events) {
    ++counters_.connections;
    MITRAL_TRY(const auto address, net::Address::of_peer(stream.fd()));
    auto connection = std::make_unique<Connection>(next_key_++, std::move(stream), address);
    connection->dialled = &monitor;
    connection->events = std::move(events);
    MITRAL_TRY(const auto key, add(std::move(connection)));
    loop_.after(base::Milliseconds(0), [this, key] { ready(key, EventLoop::writable); });
    return {};
}

std::string_view Server::make_place(const net::Address& address) {
    const auto held = places_.find(address);
    if (held != places_.end() && held->second >= limits_.connections_per_address)
        return "too many connections from this address";
    if (connections_.size() < limits_.connections)
        return {};
    auto* last = who_makes_way(address);
    if (last == nullptr)
        return "too many connections";
    cut_off(*last, last->session ? "its monitor holds more than half of all places"
                                 : "its place was needed before it said who it is");
    return {};
}

// Whoever has not said yet who it is, the first of them first. Otherwise one of the monitor that
// holds more than half of all places, if there is one: it cannot keep the others out.
Connection* Server::who_makes_way(const net::Address& address) const {
    const auto& all = monitors_.all();
    const auto greediest = std::ranges::max_element(all, {}, &Monitor::open_connections);
    const bool is_greedy = greediest != all.end() &&
                           greediest->open_connections > limits_.connections / 2 &&
                           monitors_.may_be_another(address, *greediest);
    Connection* nobody = nullptr;
    Connection* of_the_greediest = nullptr;
    const auto note_older = [](Connection*& oldest, Connection& connection) {
        if (oldest == nullptr || connection.since < oldest->since)
            oldest = &connection;
    };
    for (const auto& [key, connection] : connections_) {
        if (!connection->session)
            note_older(nobody, *connection);
        else if (is_greedy && &connection->session->monitor() == &*greediest)
            note_older(of_the_greediest, *connection);
    }
    return nobody != nullptr ? nobody : of_the_greediest;
}

base::Result<ConnectionKey> Server::add(std::unique_ptr<Connection> connection) {
    const auto key = connection->key;
    MITRAL_CHECK(loop_.watch(connection->stream.fd(), EventLoop::readable,
                             [this, key](std::uint32_t events) { ready(key, events); }));
    ++places_[connection->address];
    connection->since = clock_.monotonic();
    set_deadline(*connection, limits_.handshake);
    connections_.emplace(key, std::move(connection));
    return key;
}

void Server::shake_hands(Connection& connection) {
    const auto outcome = connection.stream.handshake();
    if (!outcome)
        return cut_off(connection, outcome.error().message());
    if (outcome->kind == Kind::closed)
        return close(connection);
    connection.wants_write = outcome->kind == Kind::want_write;
    if (outcome->kind != Kind::done)
        return update_interest(connection);
    if (identify(connection))
        read_piece(connection);
}

bool Server::identify(Connection& connection) {
    auto* monitor = connection.dialled;
    if (monitor == nullptr) {
        const auto found = monitors_.identify(connection.address, connection.stream.peer_names());
        if (!found) {
            cut_off(connection, found.error());
            return false;
        }
        monitor = *found;
    }
    connection.session.emplace(Destination{store_, interpreter_, counters_}, *monitor,
                               limits_.frame_bytes);
    connection.pace = paces_.of(*monitor, connection.address, clock_.monotonic());
    ++monitor->open_connections;
    set_deadline(connection, limits_.idle);
    tell_change();
    if (!connection.events.ready)
        return true;
    const auto key = connection.key;
    connection.events.ready(key);
    return connections_.contains(key);
}

// ── reading ──────────────────────────────────────────────────────────────────────────────────────

void Server::ready(ConnectionKey key, std::uint32_t events) {
    const auto found = connections_.find(key);
    if (found == connections_.end())
        return;
    auto& connection = *found->second;
    if (!connection.session)
        return shake_hands(connection);
    if ((events & EventLoop::writable) != 0 && !flush(connection))
        return;
    // Nobody is left to read the answers, so what waits may as well be sent again.
    const bool reading = !connection.finished() && !connection.held_back;
    if ((events & EventLoop::hung_up) != 0 && !reading)
        return close(connection);
    if (reading && (events & (EventLoop::readable | EventLoop::hung_up)) != 0)
        read_piece(connection);
}

void Server::read_piece(Connection& connection) {
    std::size_t left = limits_.piece_bytes;
    while (left > 0 && !connection.held_back) {
        const auto count = read_some(connection, left);
        left -= count;
        if (count == 0 || (left > 0 && !connection.stream.pending()))
            break;
    }
    if (!connection.finished() && !connection.held_back && connection.stream.pending())
        loop_.after(base::Milliseconds(0),
                    [this, key = connection.key] { ready(key, EventLoop::readable); });
    after_input(connection);
}

// Zero when there is nothing more for now.
std::size_t Server::read_some(Connection& connection, std::size_t at_most) {
    auto& session = *connection.session;
    const auto outcome = connection.stream.read(session.space(at_most).first(at_most));
    if (!outcome || outcome->kind == Kind::closed) {
        session.end_of_input();  // what came before is stored all the same
        return 0;
    }
    connection.wants_write = outcome->kind == Kind::want_write;
    if (outcome->kind != Kind::done)
        return 0;
    session.filled(outcome->bytes, {clock_.wall(), clock_.state()});
    take_frames(connection);
    return outcome->bytes;
}

void Server::take_frames(Connection& connection) {
    for (;;) {
        const auto now = clock_.monotonic();
        if (const auto wait = connection.pace->wait(now); wait > base::Milliseconds(0))
            return hold_back(connection, wait);
        const auto messages = connection.session->take_frame();
        if (!messages)
            return;
        connection.pace->take(static_cast<std::int64_t>(*messages), now);
    }
}

// Its bytes wait in its own connection, so that it feels it and nobody else does.
void Server::hold_back(Connection& connection, base::Milliseconds wait) {
    connection.held_back = loop_.after(wait, [this, key = connection.key] {
        auto& held = *connections_.at(key);
        held.held_back.reset();
        take_frames(held);
        if (!held.held_back)
            read_piece(held);
        else
            after_input(held);
    });
}

void Server::after_input(Connection& connection) {
    watch_deadline(connection);
    if (connection.session->unsettled() || connection.finished()) {
        if (!std::exchange(connection.waits_for_answer, true))
            unanswered_.push_back(connection.key);
        group_.touched();
        return;  // it may be gone
    }
    update_interest(connection);
    bound_unfinished(connection);
}

}  // namespace mitral::intake::hl7
