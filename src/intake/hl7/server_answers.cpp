// The other half of a connection's life: committing, answering, deadlines, the end.
#include <algorithm>
#include <utility>

#include "base/fail_point.hpp"
#include "base/log.hpp"
#include "intake/hl7/server.hpp"

namespace mitral::intake::hl7 {

using base::EventLoop;

// ── committing and answering ─────────────────────────────────────────────────────────────────────

void Server::answer(bool committed) {
    const auto now = clock_.wall();
    for (const auto key : std::exchange(unanswered_, {})) {
        const auto found = connections_.find(key);
        if (found == connections_.end())
            continue;
        auto& connection = *found->second;
        connection.waits_for_answer = false;
        connection.session->settle(committed, now);
        if (flush(connection))
            bound_unfinished(connection);
    }
    upkeep_.schedule();
    tell_change();
}

void Server::send(ConnectionKey key, std::string_view text) {
    const auto found = connections_.find(key);
    if (found == connections_.end() || !found->second->session)
        return;
    found->second->session->output().append(text);
    (void)flush(*found->second);
}

bool Server::flush(Connection& connection) {
    auto& output = connection.session->output();
    std::size_t written = 0;
    while (written < output.size()) {
        MITRAL_FAIL_POINT("intake.answer");
        const auto outcome =
            connection.stream.write(base::as_bytes(std::string_view(output).substr(written)));
        if (!outcome || outcome->kind == net::IoOutcome::Kind::closed) {
            close(connection);  // nobody is left to read the answers
            return false;
        }
        if (outcome->kind != net::IoOutcome::Kind::done)
            break;
        written += outcome->bytes;
    }
    output.erase(0, written);
    if (written > 0)
        MITRAL_FAIL_POINT("intake.answered");
    if (output.size() > limits_.unread_replies) {
        cut_off(connection, "it does not read its acknowledgements");
        return false;
    }
    if (output.empty() && connection.finished()) {
        close(connection);
        return false;
    }
    update_interest(connection);
    return true;
}

void Server::update_interest(Connection& connection) {
    std::uint32_t interest = 0;
    if (!connection.finished() && !connection.held_back)
        interest |= EventLoop::readable;
    if (connection.wants_write || (connection.session && !connection.session->output().empty()))
        interest |= EventLoop::writable;
    if (interest != std::exchange(connection.interest, interest))
        (void)loop_.modify(connection.stream.fd(), interest);
}

// ── deadlines and bounds ─────────────────────────────────────────────────────────────────────────

void Server::set_deadline(Connection& connection, base::Milliseconds wait) {
    connection.deadline = clock_.monotonic() + wait;
    deadlines_.expect(*connection.deadline);
}

void Server::watch_deadline(Connection& connection) {
    const auto& session = *connection.session;
    const bool same_frame = connection.frame_began && session.mid_frame() &&
                            connection.frames_at_deadline == session.frames();
    connection.frame_began = session.mid_frame() && !connection.held_back;
    connection.frames_at_deadline = session.frames();
    if (connection.held_back)
        connection.deadline.reset();  // we are the ones who wait
    else if (session.finished())
        set_deadline(connection, limits_.handshake);
    else if (!session.mid_frame())
        set_deadline(connection, limits_.idle);
    else if (!same_frame)
        set_deadline(connection, limits_.frame);
}

std::optional<base::MonotonicTime> Server::sweep(base::MonotonicTime now) {
    std::vector<ConnectionKey> late;
    std::optional<base::MonotonicTime> next;
    for (const auto& [key, connection] : connections_) {
        if (!connection->deadline)
            continue;
        if (*connection->deadline <= now)
            late.push_back(key);
        else if (!next || *connection->deadline < *next)
            next = connection->deadline;
    }
    for (const auto key : late)
        cut_off_late_one(*connections_.at(key));
    return next;
}

void Server::cut_off_late_one(Connection& connection) {
    if (!connection.session)
        return cut_off(connection, "it has not ended its TLS handshake in time");
    if (connection.finished())
        return cut_off(connection, "it does not read its acknowledgements");
    if (connection.frame_began)
        return cut_off(connection, "it has not ended its message in time");
    // No offence: a monitor that is switched off or whose line is cut says nothing.
    base::log(base::Severity::notice, "monitor-silent",
              {{"source", connection.session->monitor().sender.source},
               {"address", connection.address.to_text()}});
    close(connection);
}

// Frames without an end cost memory: of all who hold some, the one with the most goes first.
void Server::bound_unfinished(Connection& connection) {
    const auto held = connection.session->held_bytes();
    const auto now = held > MllpDecoder::resting_bytes ? held : 0;
    held_bytes_ += now - std::exchange(connection.held_bytes, now);
    while (held_bytes_ > limits_.unfinished_bytes) {
        const auto largest = std::ranges::max_element(
            connections_, {}, [](const auto& entry) { return entry.second->held_bytes; });
        cut_off(*largest->second, "its unfinished message takes too much memory");
    }
}

// ── going ────────────────────────────────────────────────────────────────────────────────────────

void Server::cut_off(Connection& connection, std::string_view why) {
    const auto* monitor = connection.session ? &connection.session->monitor() : connection.dialled;
    const auto source = monitor != nullptr ? monitor->sender.source : std::string();
    refused_.note(connection.address, why, source);
    close(connection);
}

void Server::close(Connection& connection) {
    loop_.unwatch(connection.stream.fd());
    if (connection.held_back)
        loop_.cancel(*connection.held_back);
    held_bytes_ -= connection.held_bytes;
    if (const auto place = places_.find(connection.address); --place->second == 0)
        places_.erase(place);
    bool useful = false;
    if (connection.session) {
        useful = connection.session->frames() > 0;
        --connection.session->monitor().open_connections;
    }
    connection.stream.shutdown();
    const auto gone = std::move(connection.events.gone);
    connections_.erase(connection.key);
    if (gone)
        gone(useful);
    tell_change();
}

void Server::shut_down() {
    acceptors_.clear();
    group_.close();
    while (!connections_.empty()) {
        auto& connection = *connections_.begin()->second;
        connection.events.gone = nullptr;
        close(connection);
    }
    if (auto ended = writer_.end_batches(); !ended)
        base::log(base::Severity::error, "batch-not-ended", {{"reason", ended.error().message()}});
    tell_change();
}

}  // namespace mitral::intake::hl7
