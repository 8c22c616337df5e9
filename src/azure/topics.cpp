#include "azure/topics.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "azure/errors.hpp"
#include "azure/ids.hpp"
#include "azure/text.hpp"

namespace mitral::azure {
namespace {

constexpr std::size_t max_topic = 65'535;
constexpr std::string_view events = "/messages/events/";

// A raw '%' is what the C SDK sends for a value it did not encode.
std::string decode_leniently(std::string_view text) {
    auto decoded = percent_decode(text);
    return decoded ? *std::move(decoded) : std::string(text);
}

Property decode_property(std::string_view pair) {
    const auto equals = pair.find('=');
    Property property{std::string_view()};
    property.name = decode_leniently(pair.substr(0, equals));
    if (equals != std::string_view::npos)
        property.value = decode_leniently(pair.substr(equals + 1));
    return property;
}

bool starts_parameters(std::string_view segment) {
    return segment.starts_with('?') || segment.find("api-version=") != std::string_view::npos;
}

void append_name(std::string_view name, std::string& bag) {
    if (!bag.empty())
        bag.push_back('&');
    append_percent_encoded(name, bag);
}

std::string_view take_segment(std::string_view& rest) {
    const auto end = std::min(rest.find('/'), rest.size());
    const auto segment = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    return segment;
}

}  // namespace

void append_property(std::string_view name, std::string_view value, std::string& bag) {
    append_name(name, bag);
    bag.push_back('=');
    append_percent_encoded(value, bag);
}

std::string encode_bag(const PropertyBag& bag) {
    std::string out;
    for (const auto& property : bag) {
        if (property.value)
            append_property(property.name, *property.value, out);
        else
            append_name(property.name, out);
    }
    return out;
}

base::Result<PropertyBag> decode_bag(std::string_view text) {
    // Only Node's module outputs end in a stray '/'; in any other bag it belongs to a raw value.
    if (text.ends_with('/') && (text == "/" || text.find(".on=") != std::string_view::npos))
        text.remove_suffix(1);
    PropertyBag bag;
    while (!text.empty()) {
        const auto end = std::min(text.find('&'), text.size());
        const auto pair = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        if (pair.empty())
            continue;
        if (pair.front() == '=')
            return base::fail(AzureError::malformed_topic, "a property without a name");
        if (bag.size() == max_properties)
            return base::fail(AzureError::too_large,
                              fmt::format("more than {} properties", max_properties));
        bag.push_back(decode_property(pair));
    }
    return bag;
}

const Property* find_property(const PropertyBag& bag, std::string_view name) noexcept {
    const auto found = std::ranges::find(bag, name, &Property::name);
    return found == bag.end() ? nullptr : &*found;
}

base::Result<std::string> telemetry_topic_head(std::string_view device, std::string_view module) {
    MITRAL_CHECK(check_device_id(device));
    std::string topic = fmt::format("devices/{}", device);
    if (!module.empty()) {
        MITRAL_CHECK(check_device_id(module));
        topic.append("/modules/").append(module);
    }
    topic.append(events);
    return topic;
}

base::Result<std::string> telemetry_topic(std::string_view device, std::string_view module,
                                          const PropertyBag& bag) {
    MITRAL_TRY(auto topic, telemetry_topic_head(device, module));
    topic.append(encode_bag(bag));
    if (topic.size() > max_topic)
        return base::fail(AzureError::too_large, "the message's properties do not fit a topic");
    return topic;
}

base::Result<TelemetryTopic> parse_telemetry_topic(std::string_view topic) {
    const auto malformed = [] {
        return base::fail(AzureError::malformed_topic, "not a telemetry topic");
    };
    if (topic.size() > max_topic || take_segment(topic) != "devices")
        return malformed();
    TelemetryTopic parsed;
    parsed.device = take_segment(topic);
    MITRAL_CHECK(check_device_id(parsed.device));
    if (topic.starts_with("modules/")) {
        take_segment(topic);
        parsed.module = take_segment(topic);
        MITRAL_CHECK(check_device_id(parsed.module));
    }
    if (take_segment(topic) != "messages")
        return malformed();
    // A client without properties may leave the last '/' out.
    if (topic != "events" && !topic.starts_with("events/"))
        return malformed();
    topic.remove_prefix(std::min<std::size_t>(7, topic.size()));
    parsed.bag = topic;
    return parsed;
}

base::Result<std::string> hub_username(std::string_view host, std::string_view device,
                                       std::string_view module) {
    MITRAL_CHECK(check_host(host));
    MITRAL_CHECK(check_device_id(device));
    if (module.empty())
        return fmt::format("{}/{}/?api-version={}", host, device, hub_api_version);
    MITRAL_CHECK(check_device_id(module));
    return fmt::format("{}/{}/{}/?api-version={}", host, device, module, hub_api_version);
}

base::Result<HubUsername> parse_hub_username(std::string_view text) {
    constexpr std::size_t max_username = 4096;
    if (text.size() > max_username)
        return base::fail(AzureError::too_large, "username longer than 4096 bytes");
    HubUsername user;
    user.host = take_segment(text);
    MITRAL_CHECK(check_host(to_lower(user.host)));
    user.device = take_segment(text);
    MITRAL_CHECK(check_device_id(user.device));
    const auto next = text.substr(0, text.find('/'));
    if (!next.empty() && !starts_parameters(next)) {
        user.module = take_segment(text);
        MITRAL_CHECK(check_device_id(user.module));
    }
    if (text.starts_with('?'))
        text.remove_prefix(1);
    MITRAL_TRY(user.parameters, decode_bag(text));
    const auto* version = find_property(user.parameters, "api-version");
    if (version == nullptr || !version->value || version->value->empty())
        return base::fail(AzureError::malformed_topic, "username without api-version");
    user.api_version = *version->value;
    return user;
}

}  // namespace mitral::azure
