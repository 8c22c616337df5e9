// AMQP 1.0 on port 5671: the built-in Event Hubs-compatible endpoint and the service client's
// links.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "cloud/amqp/claims.hpp"
#include "cloud/amqp/connection.hpp"
#include "cloud/amqp/event_hub.hpp"
#include "cloud/amqp/feedback.hpp"
#include "cloud/hub/devicebound_queue.hpp"
#include "cloud/metrics/back_end_traffic.hpp"

namespace mitral::cloud::amqp {

// What the rest of the local Azure lends. All references outlive the endpoint.
struct Parts {
    const hub::Authenticator& authenticator;
    const hub::Policies& policies;
    const hub::Hosts& hosts;
    const log::MessageLog& log;
    log::Broadcast& news;
    hub::DeviceboundQueue& queue;
    std::function<void(std::string_view device)> wake_device;
    std::function<bool()> may_send;  // a message to a device, within the limits of the tier
    const base::Clock& clock;
    metrics::BackEndTraffic& traffic;
};

struct EndpointOptions {
    std::vector<std::string> consumer_groups{};  // besides $Default
    base::Seconds clock_skew{300};
    ConnectionLimits limits{};
};

// All connections of one port. Outlives them.
class Endpoint {
  public:
    Endpoint(Parts parts, EndpointOptions options);
    Endpoint(const Endpoint&) = delete;
    Endpoint& operator=(const Endpoint&) = delete;

    [[nodiscard]] std::unique_ptr<front::Protocol> accept(front::Transport& below);

  private:
    Parts parts_;
    EndpointOptions options_;
    ClaimJudge judge_;
    EventHub events_;
    FeedbackStation feedback_;
};

}  // namespace mitral::cloud::amqp
