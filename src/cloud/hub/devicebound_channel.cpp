#include "cloud/hub/devicebound_channel.hpp"

#include "base/log.hpp"
#include "cloud/error.hpp"

namespace mitral::cloud::hub {
namespace {

std::string topic_head(std::string_view device) {
    return "devices/" + std::string(device) + "/messages/devicebound/";
}

std::string filter_of(const Endpoint& endpoint) {
    return topic_head(endpoint.identity().device.id) + "#";
}

void log_failure(const base::Error& error) {
    base::log(base::Severity::error, "devicebound-failed", {{"cause", error.message()}});
}

std::string_view text_of(FeedbackWish wish) {
    switch (wish) {
        case FeedbackWish::positive:
            return "positive";
        case FeedbackWish::negative:
            return "negative";
        case FeedbackWish::full:
            return "full";
        default:
            return "none";
    }
}

}  // namespace

std::string devicebound_topic(std::string_view device, const DeviceboundDelivery& delivery) {
    const auto& message = delivery.message;
    azure::PropertyBag bag;
    const auto add = [&bag](std::string_view name, std::string_view value) {
        if (!value.empty())
            bag.emplace_back(name, value);
    };
    add("$.mid", message.message_id);
    add("$.cid", message.correlation_id);
    add("$.uid", message.user_id);
    add("$.to", "/devices/" + std::string(device) + "/messages/devicebound");
    add("$.ct", message.content_type);
    add("$.ce", message.content_encoding);
    add("$.exp", base::to_iso8601(delivery.expires));
    if (message.ack != FeedbackWish::none)
        add("iothub-ack", text_of(message.ack));
    bag.insert(bag.end(), message.properties.begin(), message.properties.end());
    return topic_head(device) + azure::encode_bag(bag);
}

bool DeviceboundChannel::owns_filter(const DeviceIdentity& identity,
                                     std::string_view filter) const {
    return identity.module.empty() && filter == topic_head(identity.device.id) + "#";
}

bool DeviceboundChannel::owns_topic(std::string_view) const {
    return false;
}

base::Status DeviceboundChannel::on_publish(Endpoint&, const mqtt::Publish&) {
    return base::fail(CloudError::protocol_violation, "messages to a device come from the service");
}

void DeviceboundChannel::wake(std::string_view device) {
    if (const auto found = listeners_.find(std::string(device)); found != listeners_.end())
        deliver(found->second);
}

void DeviceboundChannel::on_ready(Endpoint& to) {
    if (!to.identity().module.empty())
        return;
    if (!to.subscribed(filter_of(to))) {
        on_end(to);
        if (keeps_queue_)
            return;
        if (const auto ended = queue_.end_subscription(to.client_id()); !ended)
            log_failure(ended.error());
        return;
    }
    auto& listener = listeners_[to.client_id()];
    if (listener.endpoint == &to)
        return;
    const auto first = queue_.begin_subscription(to.client_id());
    if (!first)
        return log_failure(first.error());
    listener = {.endpoint = &to, .first = *first};
    deliver(listener);
}

void DeviceboundChannel::deliver(Listener& to) {
    for (;;) {
        const auto more = deliver_one(to);
        if (!more)
            return log_failure(more.error());
        if (!*more)
            return;
    }
}

base::Result<bool> DeviceboundChannel::deliver_one(Listener& to) {
    const auto& device = to.endpoint->identity().device.id;
    MITRAL_TRY(auto delivery, queue_.take(device, to.first));
    if (!delivery)
        return false;
    // As it was sent before, unless its id is taken meanwhile.
    auto packet_id = delivery->packet_id;
    const bool repeated = packet_id != 0 && !to.unacknowledged.contains(packet_id);
    while (packet_id == 0 || to.unacknowledged.contains(packet_id))
        packet_id = ++to.last_packet_id;
    if (!repeated)
        MITRAL_CHECK(queue_.set_packet_id(delivery->sequence, packet_id));
    to.unacknowledged[packet_id] = delivery->lock_token;
    to.endpoint->channel().publish_acknowledged(devicebound_topic(device, *delivery),
                                                base::as_bytes(delivery->message.body),
                                                {.packet_id = packet_id, .duplicate = repeated});
    return true;
}

void DeviceboundChannel::on_acknowledged(Endpoint& by, std::uint16_t packet_id) {
    const auto found = listeners_.find(by.client_id());
    if (found == listeners_.end() || found->second.endpoint != &by)
        return;
    const auto delivery = found->second.unacknowledged.extract(packet_id);
    if (delivery.empty())
        return;
    if (const auto done = queue_.complete(by.identity().device.id, delivery.mapped());
        !done && done.error().code != CloudError::stale_etag)
        log_failure(done.error());
}

void DeviceboundChannel::on_end(Endpoint& gone) {
    const auto found = listeners_.find(gone.client_id());
    if (found == listeners_.end() || found->second.endpoint != &gone)
        return;
    release(found->second);
    listeners_.erase(found);
}

void DeviceboundChannel::release(Listener& listener) {
    for (const auto& [packet_id, lock] : listener.unacknowledged)
        if (const auto freed = queue_.abandon(listener.endpoint->identity().device.id, lock);
            !freed && freed.error().code != CloudError::stale_etag)
            log_failure(freed.error());
}

}  // namespace mitral::cloud::hub
