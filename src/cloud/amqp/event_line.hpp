// Lines of the message log as events of the Event Hubs-compatible endpoint.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/clock.hpp"
#include "cloud/amqp/message.hpp"

namespace mitral::cloud::amqp {

// What stands at the front of every line, read without parsing the rest.
struct EventHead {
    std::uint64_t offset = 0;
    base::WallTime enqueued{};
    std::string_view device;
};
[[nodiscard]] std::optional<EventHead> read_head(std::string_view line);

// The same for equal devices in every version and on every machine (FNV-1a).
[[nodiscard]] unsigned partition_of(std::string_view device, unsigned partitions) noexcept;

// As IoT Hub shows a message of a device: system properties as properties of the message, stamps
// and positions as annotations.
[[nodiscard]] base::Result<Message> to_event(std::string_view line);

}  // namespace mitral::cloud::amqp
