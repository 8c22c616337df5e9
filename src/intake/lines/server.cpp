#include "intake/lines/server.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string_view>
#include <utility>

#include "base/fail_point.hpp"
#include "base/local_socket.hpp"
#include "base/log.hpp"
#include "intake/lines/places.hpp"

namespace mitral::intake {

using base::EventLoop;
using base::Status;
using base::UniqueFd;

struct Server::Connection {
    Connection(Key k, UniqueFd in, UniqueFd out, Session s)
        : key(k), input(std::move(in)), separate_output(std::move(out)), session(std::move(s)) {}

    Key key;
    UniqueFd input;
    UniqueFd separate_output;  // only with standard input and output
    Session session;
    std::function<void()> done;
    bool always_ready = false;  // a regular file, which epoll does not watch
    bool queued = false;        // in unsettled_
    std::uint32_t interest = EventLoop::readable;
    std::optional<base::MonotonicTime> deadline;
    base::MonotonicTime last_active;

    // Standard output may be a pipe or a file, which send() does not take.
    [[nodiscard]] ssize_t send(std::string_view text) const noexcept {
        return separate_output.valid()
                   ? ::write(separate_output.get(), text.data(), text.size())
                   : ::send(input.get(), text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    }
};

Server::Server(EventLoop& loop, spool::Writer& writer, const base::Clock& clock,
               ServerLimits limits, PeerUser peer_user)
    : loop_(loop),
      writer_(writer),
      clock_(clock),
      limits_(limits),
      peer_user_(std::move(peer_user)),
      store_(writer, counters_),
      group_(loop, store_, limits.group, [this](bool committed) { answer(committed); }),
      upkeep_(
          loop, writer, clock, [this] { group_.close(); }, [this] { tell_change(); }),
      deadlines_(loop, clock, [this](base::MonotonicTime now) { return sweep(now); }) {
    upkeep_.schedule();
}

Server::~Server() {
    for (const auto& [key, connection] : connections_)
        loop_.unwatch(connection->input.get());
    if (listener_.valid())
        loop_.unwatch(listener_.get());
}

void Server::tell_change() {
    if (changed_)
        changed_();
}

Counters Server::counters() const noexcept {
    Counters counters = counters_;
    counters.unknown_codes = parser_.unknown_codes();
    return counters;
}

// ── coming and going ─────────────────────────────────────────────────────────────────────────────

Status Server::listen(UniqueFd listener) {
    listener_ = std::move(listener);
    return loop_.watch(listener_.get(), EventLoop::readable,
                       [this](std::uint32_t) { accept_one(); });
}

base::Result<uid_t> Server::peer_user_of_kernel(int socket) {
    MITRAL_TRY(const auto peer, base::peer_credentials(socket));
    return peer.uid;
}

void Server::accept_one() {
    auto accepted = base::accept_connection(listener_.get());
    if (!accepted)
        return;  // gone again before it was taken
    ++counters_.connections;
    const auto user = peer_user_(accepted->get());
    const auto place =
        user ? make_place(*user) : Acceptance(std::unexpected(Refusal{"nobody knows who you are"}));
    if (!place) {
        const auto answer = "no 0 " + place.error().reason + "\n";
        (void)::send(accepted->get(), answer.data(), answer.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
        ++counters_.rejected;
        return;
    }
    auto connection =
        std::make_unique<Connection>(next_key_++, std::move(*accepted), UniqueFd(),
                                     Session(store_, owners_, parser_, counters_, *user));
    connection->last_active = clock_.monotonic();
    set_deadline(*connection, limits_.header_wait);
    if (auto added = add(std::move(connection)); !added)
        base::log(base::Severity::error, "adapter-not-served",
                  {{"reason", added.error().message()}});
}

Acceptance Server::make_place(uid_t user) {
    std::vector<Place> held;
    for (const auto& [key, connection] : connections_)
        held.push_back({key, connection->session.user(), connection->last_active});
    const auto admission = admit(held, user, limits_.connections);
    if (!admission.refusal.empty())
        return std::unexpected(Refusal{std::string(admission.refusal)});
    // What it has sent is committed and answered with the group, or sent again.
    if (admission.makes_way != 0)
        drop(*connections_.at(admission.makes_way), "place-needed");
    return {};
}

Status Server::serve(UniqueFd input, UniqueFd output, std::function<void()> done) {
    auto connection = std::make_unique<Connection>(next_key_++, std::move(input), std::move(output),
                                                   Session(store_, owners_, parser_, counters_));
    connection->done = std::move(done);
    ++counters_.connections;
    return add(std::move(connection));
}

Status Server::add(std::unique_ptr<Connection> connection) {
    const Key key = connection->key;
    auto watched = loop_.watch(connection->input.get(), EventLoop::readable,
                               [this, key](std::uint32_t events) { ready(key, events); });
    if (!watched) {
        if (watched.error().code != std::errc::operation_not_permitted)
            return watched;
        connection->always_ready = true;
        loop_.after(base::Milliseconds(0), [this, key] { ready(key, EventLoop::readable); });
    }
    connections_.emplace(key, std::move(connection));
    return {};
}

void Server::drop(Connection& connection, const char* why) {
    const auto& session = connection.session;
    if (why != nullptr)
        ++counters_.rejected;
    if (why != nullptr || !session.first_refusal().empty())
        base::log_security("adapter-misbehaved", {{"source", session.source()},
                                                  {"user", session.user()},
                                                  {"cut_off", why != nullptr ? why : "no"},
                                                  {"lines", session.lines()},
                                                  {"refused", session.refused()},
                                                  {"first_refusal", session.first_refusal()}});
    if (!connection.always_ready)
        loop_.unwatch(connection.input.get());
    const auto done = std::move(connection.done);
    connections_.erase(connection.key);
    if (done)
        done();
}

void Server::shut_down() {
    if (listener_.valid()) {
        loop_.unwatch(listener_.get());
        listener_.reset();
    }
    group_.close();
    while (!connections_.empty())
        drop(*connections_.begin()->second, nullptr);
    if (auto ended = writer_.end_batches(); !ended)
        base::log(base::Severity::error, "batch-not-ended", {{"reason", ended.error().message()}});
    tell_change();
}

// ── reading ──────────────────────────────────────────────────────────────────────────────────────

void Server::ready(Key key, std::uint32_t events) {
    const auto found = connections_.find(key);
    if (found == connections_.end())
        return;
    auto& connection = *found->second;
    if ((events & EventLoop::writable) != 0 && !flush(connection))
        return;
    if ((events & (EventLoop::readable | EventLoop::hung_up)) == 0)
        return;
    if (connection.session.finished()) {
        // It hung up while its last replies were waiting.
        if ((events & EventLoop::hung_up) != 0)
            drop(connection, nullptr);
        return;
    }
    read_piece(connection);
}

void Server::read_piece(Connection& connection) {
    auto& session = connection.session;
    const std::uint64_t lines_before = session.lines();
    const auto space = session.space(limits_.piece_bytes).first(limits_.piece_bytes);
    const ssize_t count = ::read(connection.input.get(), space.data(), space.size());
    if (count < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    connection.last_active = clock_.monotonic();
    if (count > 0)
        session.received(static_cast<std::size_t>(count), {clock_.wall(), clock_.state()});
    else
        session.end_of_input();  // or a broken connection: what came before is stored all the same
    watch_deadline(connection, lines_before);
    if (!connection.queued) {
        connection.queued = true;
        unsettled_.push_back(connection.key);
    }
    group_.touched();
}

void Server::watch_deadline(Connection& connection, std::uint64_t lines_before) {
    const auto& session = connection.session;
    if (connection.separate_output.valid())
        return;  // a person may type on standard input
    if (session.finished())
        set_deadline(connection, limits_.flush_wait);
    else if (!session.has_header())
        return;  // the deadline of the first line stands
    else if (!session.mid_line())
        connection.deadline.reset();
    else if (!connection.deadline || session.lines() != lines_before)
        set_deadline(connection, limits_.line_wait);
}

// ── committing and answering ─────────────────────────────────────────────────────────────────────

void Server::answer(bool committed) {
    for (const Key key : std::exchange(unsettled_, {})) {
        const auto found = connections_.find(key);
        if (found == connections_.end())
            continue;
        auto& connection = *found->second;
        connection.queued = false;
        if (connection.session.unsettled())
            connection.session.settle(committed);
        if (flush(connection) && connection.always_ready && !connection.session.finished())
            loop_.after(base::Milliseconds(0), [this, key] { ready(key, EventLoop::readable); });
    }
    upkeep_.schedule();
    tell_change();
}

bool Server::flush(Connection& connection) {
    auto& output = connection.session.output();
    std::size_t written = 0;
    while (written < output.size()) {
        MITRAL_FAIL_POINT("intake.answer");
        const ssize_t count = connection.send(std::string_view(output).substr(written));
        if (count > 0) {
            written += static_cast<std::size_t>(count);
            continue;
        }
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0 && errno == EAGAIN)
            break;
        drop(connection, nullptr);  // nobody is left to read the replies
        return false;
    }
    output.erase(0, written);
    if (written > 0)
        MITRAL_FAIL_POINT("intake.answered");
    if (output.size() > limits_.unread_replies) {
        drop(connection, "replies-not-read");
        return false;
    }
    if (output.empty() && connection.session.finished()) {
        drop(connection, nullptr);
        return false;
    }
    update_interest(connection);
    return true;
}

void Server::update_interest(Connection& connection) {
    if (connection.always_ready)
        return;
    std::uint32_t interest = connection.session.finished() ? 0 : EventLoop::readable;
    if (!connection.session.output().empty() && !connection.separate_output.valid())
        interest |= EventLoop::writable;
    if (interest == connection.interest)
        return;
    connection.interest = interest;
    (void)loop_.modify(connection.input.get(), interest);
}

// ── timers ───────────────────────────────────────────────────────────────────────────────────────

void Server::set_deadline(Connection& connection, base::Milliseconds wait) {
    connection.deadline = clock_.monotonic() + wait;
    deadlines_.expect(*connection.deadline);
}

std::optional<base::MonotonicTime> Server::sweep(base::MonotonicTime now) {
    std::vector<Key> late;
    std::optional<base::MonotonicTime> next;
    for (const auto& [key, connection] : connections_) {
        if (!connection->deadline)
            continue;
        if (*connection->deadline <= now)
            late.push_back(key);
        else if (!next || *connection->deadline < *next)
            next = connection->deadline;
    }
    for (const Key key : late) {
        auto& connection = *connections_.at(key);
        drop(connection, connection.session.finished()     ? "replies-not-read"
                         : connection.session.has_header() ? "line-not-finished"
                                                           : "no-header");
    }
    return next;
}

}  // namespace mitral::intake
