// Our end of one AMQP link.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.hpp"

struct pn_link_t;

namespace mitral::cloud::amqp {

// An AMQP error: a condition ("amqp:not-found") and what it is about.
struct Refusal {
    std::string condition;
    std::string description;
};

class LinkEnd {
  public:
    explicit LinkEnd(pn_link_t* link) : link_(link) {}

    // The peer receives what we send here.
    [[nodiscard]] bool outgoing() const;
    // Where the peer attached: the source of an outgoing link, the target of an incoming one.
    // Without a leading '/'.
    [[nodiscard]] std::string address() const;
    [[nodiscard]] std::string name() const;
    // Of an outgoing link.
    [[nodiscard]] std::string target() const;
    [[nodiscard]] std::optional<std::string> selector() const;  // the filter of Event Hubs
    [[nodiscard]] std::optional<std::int64_t> property(std::string_view name) const;
    [[nodiscard]] bool wants_settled() const;
    [[nodiscard]] bool wants_unsettled() const;

    // Answers the attach with what the peer asked for. Credit: messages an incoming peer may send.
    void open(int credit, std::size_t max_message_bytes);
    // Answers the attach, if that is still due, and ends the link.
    void close(const Refusal& why);
    [[nodiscard]] bool closed() const;

    [[nodiscard]] int credit() const;
    // Bytes of this link's session that wait for the peer.
    [[nodiscard]] std::size_t queued() const;
    // Needs credit. The delivery has a context, which one that the peer began has not. A message
    // that is not settled yet is spoken of by its tag later.
    void send(base::ByteView message, std::uint64_t tag, bool settled);
    // The peer asked that its credit be used up or given back.
    [[nodiscard]] bool draining() const;
    void drained();

  private:
    pn_link_t* link_;
};

}  // namespace mitral::cloud::amqp
