// "$management" of Event Hubs: READ of the hub and of a partition.
#pragma once

#include <optional>

#include "cloud/amqp/event_hub.hpp"
#include "cloud/amqp/message.hpp"

namespace mitral::cloud::amqp {

// Nothing while the log is still being read.
[[nodiscard]] std::optional<Message> manage(EventHub& hub, const Message& request);

// "0" to "3".
[[nodiscard]] std::optional<unsigned> parse_partition(std::string_view text);

}  // namespace mitral::cloud::amqp
