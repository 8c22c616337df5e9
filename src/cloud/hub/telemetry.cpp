#include "cloud/hub/telemetry.hpp"

#include "azure/topics.hpp"
#include "cloud/error.hpp"

namespace mitral::cloud::hub {
namespace {

// As IoT Hub writes it.
std::string auth_method(const DeviceIdentity& identity) {
    const std::string scope = identity.module.empty() ? "device" : "module";
    const std::string type = identity.token_expiry_s ? "sas" : "x509";
    return R"({"scope":")" + scope + R"(","type":")" + type +
           R"(","issuer":"iothub","acceptingIpFilterRule":null})";
}

bool is_system(const azure::Property& property) {
    return property.name.starts_with("$.");
}

std::size_t value_size(const azure::Property& property) {
    return property.value ? property.value->size() : 0;
}

// What counts towards the limit: body, values of system properties, names and values of the others.
std::size_t message_size(const azure::PropertyBag& bag, std::size_t body) {
    for (const auto& property : bag)
        body += value_size(property) + (is_system(property) ? 0 : property.name.size());
    return body;
}

}  // namespace

Telemetry::Telemetry(log::MessageLog& log, const base::Clock& clock, const DeviceIdentity& identity,
                     std::string_view retain_name)
    : log_(log),
      clock_(clock),
      device_(identity.device.id),
      module_(identity.module),
      retain_name_(retain_name) {
    azure::PropertyBag stamps;
    stamps.emplace_back("iothub-connection-device-id", device_);
    if (!module_.empty())
        stamps.emplace_back("iothub-connection-module-id", module_);
    stamps.emplace_back("iothub-connection-auth-method", auth_method(identity));
    stamps.emplace_back("iothub-connection-auth-generation-id", identity.generation);
    stamps.emplace_back("iothub-message-source", "Telemetry");
    stamps_ = log::to_json_members(stamps);
}

base::Result<azure::TelemetryTopic> Telemetry::own_topic(std::string_view topic) const {
    MITRAL_TRY(auto parsed, azure::parse_telemetry_topic(topic));
    if (parsed.device != device_ || parsed.module != module_)
        return base::fail(CloudError::protocol_violation, "publish to a topic of another identity");
    return parsed;
}

base::Status Telemetry::check_topic(std::string_view topic) const {
    MITRAL_TRY(const auto own, own_topic(topic));
    (void)own;
    return {};
}

base::Status Telemetry::accept(const mqtt::Publish& publish) {
    azure::PropertyBag extra;
    if (publish.retain)
        extra.emplace_back(retain_name_, "true");
    return store(publish, std::move(extra));
}

base::Status Telemetry::accept_will(const mqtt::Publish& will) {
    azure::PropertyBag extra;
    extra.emplace_back("iothub-MessageType", "Will");
    return store(will, std::move(extra));
}

base::Status Telemetry::store(const mqtt::Publish& publish, azure::PropertyBag extra) {
    MITRAL_TRY(const auto topic, own_topic(publish.topic));
    MITRAL_TRY(auto bag, azure::decode_bag(topic.bag));
    if (message_size(bag, publish.payload.size()) > azure::max_message_bytes)
        return base::fail(CloudError::too_large, "message above 256 KiB");

    log::Entry entry;
    entry.system.reserve(bag.size());
    entry.properties.reserve(bag.size());
    for (auto& property : bag)
        (is_system(property) ? entry.system : entry.properties).push_back(std::move(property));
    entry.properties.insert(entry.properties.end(), extra.begin(), extra.end());
    // Nobody can claim another connection identity: a client's system properties begin with "$.".
    entry.stamps = stamps_;
    const auto* id = azure::find_property(entry.system, "$.mid");
    entry.message_id = id != nullptr && id->value ? std::string_view(*id->value) : "";
    entry.enqueued = clock_.wall();
    entry.device = device_;
    entry.module = module_;
    entry.bag = topic.bag;
    entry.body = publish.payload;
    entry.qos = publish.qos;
    entry.duplicate = publish.duplicate;
    (void)log_.append(entry);
    return {};
}

}  // namespace mitral::cloud::hub
