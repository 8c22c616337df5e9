#include "cloud/api/device_events_api.hpp"

#include <array>

#include "azure/text.hpp"
#include "base/encoding.hpp"
#include "base/log.hpp"
#include "cloud/api/json.hpp"
#include "cloud/api/service_calls.hpp"
#include "cloud/error.hpp"

namespace mitral::cloud::api {
namespace {

using http::Captures;
using http::Request;
using http::Response;

constexpr std::string_view application = "iothub-app-";
constexpr std::string_view batch_type = "application/vnd.microsoft.iothub.json";

struct SystemHeader {
    const char* header;
    std::string_view key;
};
constexpr std::array system_headers{
    SystemHeader{"iothub-messageid", "$.mid"},
    SystemHeader{"iothub-correlationid", "$.cid"},
    SystemHeader{"iothub-userid", "$.uid"},
    SystemHeader{"iothub-to", "$.to"},
    SystemHeader{"iothub-expiry", "$.exp"},
    SystemHeader{"iothub-contenttype", "$.ct"},
    SystemHeader{"iothub-contentencoding", "$.ce"},
    SystemHeader{"iothub-interface-id", "$.ifid"},
    SystemHeader{"iothub-creation-time-utc", "$.ctime"},
};

struct Event {
    azure::PropertyBag bag;
    std::string body;
};

Event single(const Request& request) {
    Event event{.bag = {}, .body = request.body};
    for (const auto& [header, key] : system_headers)
        if (const auto value = request.header(header); !value.empty())
            event.bag.emplace_back(key, value);
    // HTTP has no case in names: applications find theirs in lower case.
    for (const auto& [name, value] : request.headers)
        if (name.starts_with(application))
            event.bag.emplace_back(std::string_view(name).substr(application.size()), value);
    return event;
}

base::Result<Event> from_batch(const Json& entry) {
    const auto body = base::from_base64(text_member(entry, "body"));
    const bool is_text = text_member(entry, "base64Encoded", "true") == "false" ||
                         entry.value("base64Encoded", Json(true)) == Json(false);
    if (!body && !is_text)
        return base::fail(CloudError::invalid_argument, "body is no base64");
    Event event{.bag = {},
                .body = is_text ? text_member(entry, "body") : std::string(base::as_text(*body))};
    const auto* properties = member(entry, "properties");
    if (properties == nullptr || !properties->is_object())
        return event;
    for (const auto& [name, value] : properties->items()) {
        if (!value.is_string())
            return base::fail(CloudError::invalid_argument, "a property is no text");
        const auto plain = name.starts_with(application) ? name.substr(application.size()) : name;
        event.bag.emplace_back(plain, value.get<std::string>());
    }
    return event;
}

base::Result<std::vector<Event>> read_events(const Request& request) {
    if (!request.header("content-type").starts_with(batch_type))
        return std::vector{single(request)};
    MITRAL_TRY(const auto batch, parse_json(request.body));
    if (!batch.is_array())
        return base::fail(CloudError::invalid_argument, "a batch is an array");
    std::vector<Event> events;
    for (const auto& entry : batch) {
        if (!entry.is_object())
            return base::fail(CloudError::invalid_argument, "a batch holds objects");
        MITRAL_TRY(auto event, from_batch(entry));
        events.push_back(std::move(event));
    }
    return events;
}

std::size_t size_of(const Event& event) {
    auto size = event.body.size();
    for (const auto& property : event.bag)
        size += property.name.size() + property.value.value_or("").size();
    return size;
}

// All that can be refused is refused before the first message is stored: a batch is taken whole.
base::Result<std::vector<std::string>> topics_of(const std::vector<Event>& events,
                                                 const hub::DeviceIdentity& identity) {
    std::vector<std::string> topics;
    std::size_t size = 0;
    for (const auto& event : events) {
        size += size_of(event);
        if (size > azure::max_message_bytes)
            return base::fail(CloudError::too_large, "messages above 256 KiB");
        if (event.bag.size() > azure::max_properties)
            return base::fail(CloudError::too_large, "a message with too many properties");
        MITRAL_TRY(auto topic,
                   azure::telemetry_topic(identity.device.id, identity.module, event.bag));
        topics.push_back(std::move(topic));
    }
    return topics;
}

base::Status store(DeviceEventsApi& api, const hub::DeviceIdentity& identity,
                   const Request& request) {
    MITRAL_TRY(const auto events, read_events(request));
    MITRAL_TRY(const auto topics, topics_of(events, identity));
    hub::Telemetry telemetry(api.log, api.clock, identity);
    for (std::size_t i = 0; i < events.size(); ++i) {
        MITRAL_CHECK(telemetry.accept({.topic = topics[i],
                                       .payload = base::as_bytes(events[i].body),
                                       .packet_id = 0,
                                       .qos = 1}));
        api.service.count_message(events[i].body.size());
    }
    if (const auto written = api.commit(); !written)
        return base::fail(CloudError::storage, written.error().message());
    return {};
}

}  // namespace

void DeviceEventsApi::mount(http::Router& router) {
    const auto post = [self = *this](const Request& request, const Captures& at) mutable {
        const auto identity = self.authenticator.request(
            at[0], at.size() > 1 ? std::string_view(at[1]) : std::string_view(),
            credential_of(request));
        if (!identity)
            return unauthorised(request, identity.error());
        const auto stored = store(self, *identity, request);
        return stored ? no_content() : refusal_of(stored.error());
    };
    router.add(http::Method::post, "/devices/{device}/messages/events", post);
    router.add(http::Method::post, "/devices/{device}/modules/{module}/messages/events", post);
}

}  // namespace mitral::cloud::api
