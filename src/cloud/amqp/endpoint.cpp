#include "cloud/amqp/endpoint.hpp"

#include "cloud/amqp/nodes.hpp"

namespace mitral::cloud::amqp {

Endpoint::Endpoint(Parts parts, EndpointOptions options)
    : parts_(std::move(parts)),
      options_(std::move(options)),
      judge_(parts_.authenticator, parts_.policies, parts_.hosts, parts_.clock,
             options_.clock_skew),
      events_(parts_.log, parts_.news, parts_.hosts, parts_.clock.wall(), options_.consumer_groups),
      feedback_(parts_.queue, parts_.hosts.names().empty() ? "" : parts_.hosts.names().front(),
                parts_.clock) {
    events_.count_delivered_in(parts_.traffic.events_delivered);
}

std::unique_ptr<front::Protocol> Endpoint::accept(front::Transport& below) {
    return std::make_unique<Connection>(
        below, std::make_unique<ServiceNodes>(parts_, events_, feedback_), judge_, options_.limits);
}

}  // namespace mitral::cloud::amqp
