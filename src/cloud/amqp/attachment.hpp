// What stands behind a link: one object for each link that a peer attached.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>

#include "cloud/amqp/link_end.hpp"
#include "cloud/amqp/message.hpp"

namespace mitral::cloud::amqp {

// How a message ends (AMQP 1.0 part 3, § 3.4).
enum class Outcome : std::uint8_t { accepted, released, modified, rejected };

class Attachment {
  public:
    virtual ~Attachment() = default;

    // A whole message arrived. An error rejects it.
    [[nodiscard]] virtual std::expected<void, Refusal> on_message(const Message& message) {
        (void)message;
        return std::unexpected(Refusal{"amqp:not-allowed", "this link does not take messages"});
    }
    // There may be something to send: credit came, bytes left, or the connection was woken. True
    // when it wants to be called again soon, having done enough for one turn.
    [[nodiscard]] virtual bool pump() { return false; }
    // The peer settled a message that was sent unsettled.
    virtual void on_outcome(std::uint64_t tag, Outcome outcome) { (void)tag, (void)outcome; }
};

using Attached = std::expected<std::unique_ptr<Attachment>, Refusal>;

}  // namespace mitral::cloud::amqp
