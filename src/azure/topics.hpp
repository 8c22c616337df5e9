// MQTT names of the classic IoT Hub protocol: the telemetry topic with its property bag, and
// usernames.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace mitral::azure {

constexpr std::string_view hub_api_version = "2021-04-12";
constexpr std::size_t max_message_bytes = 256 * 1024;  // body, properties and their names together
constexpr std::size_t max_properties = 256;            // in one bag

// One property of a message. System properties have names that begin with "$.": $.mid, $.ct, $.ce.
struct Property {
    std::string name;
    std::optional<std::string> value;  // none: "name" without '='; empty: "name="

    Property(std::string_view property_name, std::string_view text)
        : name(property_name), value(text) {}
    explicit Property(std::string_view property_name) : name(property_name) {}
    bool operator==(const Property&) const = default;
};
using PropertyBag = std::vector<Property>;

// Names and values strictly percent-encoded, as Microsoft's Node SDK does; the order is kept.
[[nodiscard]] std::string encode_bag(const PropertyBag& bag);
// The same, one property at a time, for a bag that is only ever text.
void append_property(std::string_view name, std::string_view value, std::string& bag);
// Takes Node's encoding and that of the C SDK, which leaves values raw ("$.ct=application/json"): a
// '%' that begins no escape stands for itself. A trailing '/' (Node's module outputs) is dropped.
// Fails with malformed_topic on an empty name, with too_large beyond max_properties.
[[nodiscard]] base::Result<PropertyBag> decode_bag(std::string_view text);
[[nodiscard]] const Property* find_property(const PropertyBag& bag, std::string_view name) noexcept;

// "devices/{device}/messages/events/", with "modules/{module}/" when a module is named. The ids are
// checked. What follows it in a topic is a bag.
[[nodiscard]] base::Result<std::string> telemetry_topic_head(std::string_view device,
                                                             std::string_view module);
// Head and bag; at most 65,535 bytes (MQTT 3.1.1 §1.5.3).
[[nodiscard]] base::Result<std::string> telemetry_topic(std::string_view device,
                                                        std::string_view module,
                                                        const PropertyBag& bag);

struct TelemetryTopic {  // parts of the text that was parsed
    std::string_view device;
    std::string_view module;  // empty: the device itself
    std::string_view bag;     // raw: everything after "/messages/events/", which may hold '/'
};
[[nodiscard]] base::Result<TelemetryTopic> parse_telemetry_topic(std::string_view topic);

struct HubUsername {
    std::string host;  // as sent; may carry ":port"
    std::string device;
    std::string module;
    std::string api_version;
    PropertyBag parameters;  // all of them, decoded
};
// "{host}/{device}[/{module}]/?api-version=2021-04-12"
[[nodiscard]] base::Result<std::string> hub_username(std::string_view host, std::string_view device,
                                                     std::string_view module = {});
// The '?' is optional (old clients), parameters stand in any order; ≤ 4 KiB.
[[nodiscard]] base::Result<HubUsername> parse_hub_username(std::string_view text);

}  // namespace mitral::azure
