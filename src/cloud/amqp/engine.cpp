#include "cloud/amqp/engine.hpp"

#include <proton/condition.h>
#include <proton/connection.h>
#include <proton/delivery.h>
#include <proton/disposition.h>
#include <proton/event.h>
#include <proton/link.h>
#include <proton/session.h>
#include <proton/transport.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "cloud/error.hpp"

namespace mitral::cloud::amqp {
namespace {

constexpr const char* container_name = "mitral-cloud";
// What may be on its way when a link ends is a window or two.
constexpr std::size_t most_unwanted = 1'000;

std::int64_t to_ms(base::MonotonicTime time) {
    return time.ns / 1'000'000;
}

Outcome outcome_of(std::uint64_t state) {
    switch (state) {
        case PN_ACCEPTED:
            return Outcome::accepted;
        case PN_REJECTED:
            return Outcome::rejected;
        case PN_MODIFIED:
            return Outcome::modified;
        default:
            return Outcome::released;
    }
}

}  // namespace

Engine::Engine(Peer& peer, Nodes& nodes, const ConnectionLimits& limits)
    : peer_(peer),
      nodes_(nodes),
      limits_(limits),
      connection_(pn_connection()),
      transport_(pn_transport()),
      collector_(pn_collector()) {
    pn_connection_collect(connection_, collector_);
    pn_connection_set_container(connection_, container_name);
    pn_transport_set_server(transport_);
    pn_transport_set_max_frame(transport_, limits_.frame_bytes);
    pn_transport_set_channel_max(transport_, static_cast<std::uint16_t>(limits_.sessions - 1));
    pn_transport_set_idle_timeout(transport_,
                                  static_cast<pn_millis_t>(limits_.idle_timeout.count()));
    offer_mechanisms(transport_, sasl_);
    pn_transport_bind(transport_, connection_);
}

Engine::~Engine() {
    entries_.clear();
    pn_collector_release(collector_);
    pn_transport_unbind(transport_);
    pn_transport_free(transport_);
    pn_connection_free(connection_);
    pn_collector_free(collector_);
}

base::Result<std::size_t> Engine::take(base::ByteView input) {
    const auto largest =
        peer_.claims().empty() ? limits_.performative_before_claim : limits_.performative_bytes;
    MITRAL_CHECK(guard_.look(input, largest));
    std::size_t taken = 0;
    while (taken < input.size() && !deaf_) {
        const auto room = pn_transport_capacity(transport_);
        if (room <= 0)
            break;
        const auto rest = input.subspan(taken);
        const auto size = std::min<std::size_t>(static_cast<std::size_t>(room), rest.size());
        const auto pushed =
            pn_transport_push(transport_, reinterpret_cast<const char*>(rest.data()), size);
        handle_events();
        if (pushed <= 0)
            break;
        taken += static_cast<std::size_t>(pushed);
    }
    if (taken < input.size() && !finished())
        return base::fail(CloudError::malformed_packet, "the engine takes no more");
    return taken;
}

void Engine::handle_events() {
    while (auto* event = pn_collector_peek(collector_)) {
        handle(event);
        pn_collector_pop(collector_);
    }
}

void Engine::handle(pn_event_t* event) {
    if (deaf_)
        return;
    switch (pn_event_type(event)) {
        case PN_CONNECTION_REMOTE_OPEN:
            return on_connection_open();
        case PN_CONNECTION_REMOTE_CLOSE:
            return pn_connection_close(connection_);
        case PN_SESSION_REMOTE_OPEN:
            return on_session_open(pn_event_session(event));
        case PN_SESSION_REMOTE_CLOSE:
            return on_session_close(pn_event_session(event));
        case PN_LINK_REMOTE_OPEN:
            return on_link_open(pn_event_link(event));
        case PN_LINK_REMOTE_CLOSE:
        case PN_LINK_REMOTE_DETACH:
            return on_link_close(pn_event_link(event));
        case PN_DELIVERY:
            return on_delivery(event);
        case PN_LINK_FINAL:
            --links_;
            return;
        case PN_SESSION_FINAL:
            --sessions_;
            return;
        default:
            return;
    }
}

void Engine::on_connection_open() {
    pn_connection_open(connection_);
}

void Engine::on_session_open(pn_session_t* session) {
    ++sessions_;
    const auto limit = peer_.claims().empty() ? limits_.sessions_before_claim : limits_.sessions;
    if (sessions_ > limit)
        return close({"amqp:resource-limit-exceeded", "too many sessions"});
    // Proton counts its window in frames; what arrives is taken out at once.
    pn_session_set_incoming_capacity(session, std::size_t{8} * limits_.frame_bytes);
    pn_session_open(session);
}

void Engine::on_session_close(pn_session_t* session) {
    std::erase_if(entries_,
                  [&](const auto& entry) { return pn_link_session(entry.first) == session; });
    for (auto* link = pn_link_head(connection_, 0); link != nullptr;) {
        auto* next = pn_link_next(link, 0);
        if (pn_link_session(link) == session) {
            pn_link_close(link);
            pn_link_free(link);
        }
        link = next;
    }
    pn_session_close(session);
    pn_session_free(session);
}

void Engine::on_link_open(pn_link_t* link) {
    ++links_;
    unwanted_ = 0;
    LinkEnd end(link);
    const auto limit = peer_.claims().empty() ? limits_.links_before_claim : limits_.links;
    if (links_ > 4 * limit)
        return close({"amqp:resource-limit-exceeded", "too many links"});
    if (entries_.size() >= limit)
        return refuse(link, {"amqp:resource-limit-exceeded", "too many links"});
    auto attached = nodes_.attach(peer_, end);
    if (!attached)
        return refuse(link, attached.error());
    end.open(limits_.credit, limits_.message_bytes);
    entries_.emplace(link, Entry{.attachment = *std::move(attached), .address = end.address()});
}

void Engine::refuse(pn_link_t* link, const Refusal& why) {
    LinkEnd(link).close(why);
}

void Engine::on_link_close(pn_link_t* link) {
    entries_.erase(link);
    pn_link_close(link);
    pn_link_free(link);
}

void Engine::on_delivery(pn_event_t* event) {
    auto* link = pn_event_link(event);
    auto* delivery = pn_event_delivery(event);
    if (pn_link_is_sender(link))
        return on_outcome(link, delivery);
    const auto found = entries_.find(link);
    if (found == entries_.end() || LinkEnd(link).closed())
        return drop_unwanted(link);
    receive(link, found->second);
}

void Engine::on_outcome(pn_link_t* link, pn_delivery_t* delivery) {
    // The library lets a peer begin a delivery where we send, and mixes it up with ours when it is
    // settled.
    if (pn_delivery_get_context(delivery) == nullptr) {
        return close({"amqp:not-allowed", "a transfer to the end that sends"});
    }
    const auto state = pn_delivery_remote_state(delivery);
    const bool is_outcome = state != 0 && state != PN_RECEIVED;
    if (!pn_delivery_updated(delivery) || (!is_outcome && !pn_delivery_settled(delivery)))
        return;
    const auto tag_bytes = pn_delivery_tag(delivery);
    std::uint64_t tag = 0;
    std::memcpy(&tag, tag_bytes.start, std::min(sizeof tag, tag_bytes.size));
    pn_delivery_settle(delivery);
    if (const auto found = entries_.find(link); found != entries_.end())
        found->second.attachment->on_outcome(tag, outcome_of(state));
}

// Nobody is there for them, but they have to leave the library's memory.
void Engine::drop_unwanted(pn_link_t* link) {
    std::array<char, 4096> nowhere{};
    for (auto* delivery = pn_link_current(link);
         delivery != nullptr && pn_delivery_readable(delivery); delivery = pn_link_current(link)) {
        while (pn_link_recv(link, nowhere.data(), nowhere.size()) > 0) {
        }
        if (pn_delivery_partial(delivery) && !pn_delivery_aborted(delivery))
            break;
        pn_delivery_settle(delivery);
    }
    if (++unwanted_ > most_unwanted)
        close({"amqp:connection:forced", "transfers to links that are closed"});
}

void Engine::receive(pn_link_t* link, Entry& entry) {
    for (auto* delivery = pn_link_current(link);
         delivery != nullptr && pn_delivery_readable(delivery) && !LinkEnd(link).closed();
         delivery = pn_link_current(link)) {
        const auto pending = pn_delivery_pending(delivery);
        if (entry.incoming.size() + pending > limits_.message_bytes)
            return refuse(link, {"amqp:link:message-size-exceeded", "the message is too large"});
        const auto start = entry.incoming.size();
        entry.incoming.resize(start + pending);
        const auto got = pn_link_recv(link, entry.incoming.data() + start, pending);
        entry.incoming.resize(start + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
        if (pn_delivery_aborted(delivery)) {
            entry.incoming.clear();
            pn_delivery_settle(delivery);
        } else if (pn_delivery_partial(delivery)) {
            return;
        } else {
            finish_message(link, entry);
        }
    }
}

void Engine::finish_message(pn_link_t* link, Entry& entry) {
    auto* delivery = pn_link_current(link);
    const auto bytes = std::exchange(entry.incoming, {});
    const auto message = decode_message(base::as_bytes(bytes));
    const auto done = message
                          ? entry.attachment->on_message(*message)
                          : std::unexpected(Refusal{"amqp:decode-error", message.error().context});
    if (done) {
        pn_delivery_update(delivery, PN_ACCEPTED);
    } else {
        auto* condition = pn_disposition_condition(pn_delivery_local(delivery));
        pn_condition_set_name(condition, done.error().condition.c_str());
        pn_condition_set_description(condition, done.error().description.c_str());
        pn_delivery_update(delivery, PN_REJECTED);
    }
    pn_delivery_settle(delivery);
    pn_link_flow(link, limits_.credit - pn_link_credit(link));
}

bool Engine::pump() {
    if (deaf_)
        return false;
    bool again = false;
    // Attachments neither open nor close links here.
    for (auto& [link, entry] : entries_)
        if (!LinkEnd(link).closed())
            again = entry.attachment->pump() || again;
    return again;
}

void Engine::end_lapsed() {
    std::erase_if(entries_, [&](const auto& entry) {
        LinkEnd end(entry.first);
        if (nodes_.may_stay(peer_, entry.second.address))
            return false;
        end.close({"amqp:unauthorized-access", "the token has expired"});
        return true;
    });
}

base::ByteView Engine::output() {
    const auto pending = pn_transport_pending(transport_);
    handle_events();
    if (pending <= 0)
        return {};
    return {reinterpret_cast<const std::uint8_t*>(pn_transport_head(transport_)),
            static_cast<std::size_t>(pending)};
}

void Engine::sent(std::size_t bytes) {
    pn_transport_pop(transport_, bytes);
    handle_events();
}

std::optional<base::MonotonicTime> Engine::tick(base::MonotonicTime now) {
    const auto next = pn_transport_tick(transport_, to_ms(now));
    handle_events();
    if (next <= 0)
        return std::nullopt;
    return base::MonotonicTime{next * 1'000'000};
}

void Engine::close(const Refusal& why) {
    deaf_ = true;
    if ((pn_connection_state(connection_) & PN_LOCAL_CLOSED) != 0)
        return;
    auto* condition = pn_connection_condition(connection_);
    pn_condition_set_name(condition, why.condition.c_str());
    pn_condition_set_description(condition, why.description.c_str());
    pn_connection_open(connection_);
    pn_connection_close(connection_);
}

bool Engine::finished() const {
    constexpr auto both = PN_LOCAL_CLOSED | PN_REMOTE_CLOSED;
    return sasl_.failed || deaf_ || pn_transport_closed(transport_) ||
           pn_transport_tail_closed(transport_) ||
           (pn_connection_state(connection_) & both) == both;
}

std::string Engine::failure() const {
    auto* condition = pn_transport_condition(transport_);
    if (!pn_condition_is_set(condition))
        return sasl_.failed ? "SASL: refused" : "";
    const char* name = pn_condition_get_name(condition);
    const char* text = pn_condition_get_description(condition);
    return std::string(name == nullptr ? "" : name) + ": " + (text == nullptr ? "" : text);
}

}  // namespace mitral::cloud::amqp
