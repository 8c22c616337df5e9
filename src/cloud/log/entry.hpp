// One line of the message log (docs/formats): a telemetry message as the hub stored it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "azure/topics.hpp"
#include "base/bytes.hpp"
#include "base/clock.hpp"

namespace mitral::cloud::log {

struct Entry {
    base::WallTime enqueued;
    std::string_view device;
    std::string_view module;  // empty for a device
    std::string_view message_id;
    azure::PropertyBag properties;  // the application's
    azure::PropertyBag system;      // "$.ct" …
    std::string_view stamps;        // of the hub, from to_json_members(); they follow `system`
    std::string_view bag;           // the property bag as it stood in the topic
    base::ByteView body;
    std::uint8_t qos = 0;
    bool duplicate = false;
};

// Appends one JSON object with its checksum, and a line feed. Names that repeat keep their last
// value; a property without a value is null.
void append_line(std::string& out, std::uint64_t offset, const Entry& entry);

// `"name":"value"` of each, with commas between, for Entry::stamps: they are the same for all
// messages of a connection.
[[nodiscard]] std::string to_json_members(const azure::PropertyBag& bag);

// A JSON string with its quotes; bytes that are no UTF-8 become U+FFFD.
void append_json_string(std::string& out, std::string_view text);

}  // namespace mitral::cloud::log
