#include "cloud/amqp/devicebound.hpp"

#include <algorithm>

#include "azure/text.hpp"
#include "cloud/error.hpp"

namespace mitral::cloud::amqp {
namespace {

Refusal refusal_of(const base::Error& error) {
    if (error.code == CloudError::not_found)
        return {"amqp:not-found", error.context};
    if (error.code == CloudError::queue_full)
        return {"amqp:resource-limit-exceeded", error.context};
    if (error.code == CloudError::too_large)
        return {"amqp:link:message-size-exceeded", error.context};
    if (error.code == CloudError::invalid_argument)
        return {"amqp:not-allowed", error.context};
    return {"amqp:internal-error", "the message was not stored"};
}

base::Result<hub::FeedbackWish> read_wish(std::string_view text) {
    if (text.empty() || text == "none")
        return hub::FeedbackWish::none;
    if (text == "positive")
        return hub::FeedbackWish::positive;
    if (text == "negative")
        return hub::FeedbackWish::negative;
    if (text == "full")
        return hub::FeedbackWish::full;
    return base::fail(CloudError::invalid_argument,
                      "iothub-ack is none, positive, negative or full");
}

// Rounded up: a message lives no shorter than its sender said.
base::Seconds in_seconds(std::int64_t ms) {
    constexpr std::int64_t second = 1000;
    return base::Seconds(ms / second + (ms % second > 0 ? 1 : 0));
}

}  // namespace

std::string devicebound_recipient(std::string_view to) {
    constexpr std::string_view head = "devices/";
    constexpr std::string_view tail = "/messages/devicebound";
    while (to.starts_with('/'))
        to.remove_prefix(1);
    const auto lower = azure::to_lower(to);
    if (to.size() <= head.size() + tail.size() || !lower.starts_with(head) ||
        !lower.ends_with(tail))
        return {};
    const auto device = to.substr(head.size(), to.size() - head.size() - tail.size());
    const auto decoded = azure::percent_decode(device);
    return decoded && device.find('/') == std::string_view::npos ? *decoded : std::string();
}

base::Result<hub::DeviceboundMessage> to_devicebound(const Message& message, base::WallTime now) {
    hub::DeviceboundMessage order{.message_id = text_of(message.id),
                                  .correlation_id = text_of(message.correlation_id),
                                  .user_id = message.user_id,
                                  .content_type = message.content_type,
                                  .content_encoding = message.content_encoding};
    MITRAL_TRY(order.ack, read_wish(text_property(message, "iothub-ack")));
    for (const auto& [name, value] : message.properties)
        if (name != "iothub-ack")
            order.properties.emplace_back(name, text_of(value));
    if (const auto* body = std::get_if<Binary>(&message.body))
        order.body = body->bytes;
    if (message.expires_ms != 0)
        order.time_to_live = in_seconds(std::max<std::int64_t>(message.expires_ms, 0) - now.ms);
    else if (message.ttl_ms != 0)
        order.time_to_live = in_seconds(message.ttl_ms);
    return order;
}

std::expected<void, Refusal> DeviceboundSender::on_message(const Message& message) {
    const auto device = devicebound_recipient(message.to);
    if (device.empty())
        return std::unexpected(
            Refusal{"amqp:not-found", "\"to\" is no /devices/{device}/messages/devicebound"});
    auto order = to_devicebound(message, clock_.wall());
    if (!order)
        return std::unexpected(refusal_of(order.error()));
    if (!may_send_())
        return std::unexpected(
            Refusal{"amqp:resource-limit-exceeded", "the tier allows no more devicebound now"});
    const auto sequence = queue_.send(device, *std::move(order));
    if (!sequence)
        return std::unexpected(refusal_of(sequence.error()));
    wake_(device);
    return {};
}

}  // namespace mitral::cloud::amqp
