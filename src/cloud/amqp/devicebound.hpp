// The service client's links of cloud-to-device messages: sending, and what became of them.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "cloud/amqp/attachment.hpp"
#include "cloud/amqp/connection.hpp"
#include "cloud/hub/devicebound_queue.hpp"

namespace mitral::cloud::amqp {

// "/messages/devicebound": each message names its device in `to`.
class DeviceboundSender final : public Attachment {
  public:
    // `wake` tells the device's connection that there is something new. `may_send` says whether the
    // limits allow one more, which then counts.
    DeviceboundSender(hub::DeviceboundQueue& queue, std::function<void(std::string_view)> wake,
                      std::function<bool()> may_send, const base::Clock& clock)
        : queue_(queue), wake_(std::move(wake)), may_send_(std::move(may_send)), clock_(clock) {}
    [[nodiscard]] std::expected<void, Refusal> on_message(const Message& message) override;

  private:
    hub::DeviceboundQueue& queue_;
    std::function<void(std::string_view)> wake_;
    std::function<bool()> may_send_;
    const base::Clock& clock_;
};

// "/devices/{device}/messages/devicebound", percent-decoded; empty for anything else.
[[nodiscard]] std::string devicebound_recipient(std::string_view to);
[[nodiscard]] base::Result<hub::DeviceboundMessage> to_devicebound(const Message& message,
                                                                   base::WallTime now);

}  // namespace mitral::cloud::amqp
