// What the addresses of the service side lead to, for one connection.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "cloud/amqp/connection.hpp"
#include "cloud/amqp/endpoint.hpp"
#include "cloud/amqp/requests.hpp"

namespace mitral::cloud::amqp {

class ServiceNodes final : public Nodes {
  public:
    ServiceNodes(const Parts& parts, EventHub& events, FeedbackStation& feedback)
        : parts_(parts), events_(events), feedback_(feedback) {}
    [[nodiscard]] Attached attach(Peer& peer, LinkEnd& end) override;
    [[nodiscard]] bool may_stay(Peer& peer, const std::string& address) override;

  private:
    [[nodiscard]] Attached lead(Peer& peer, LinkEnd& end);
    // An address may be a URI of this hub: what is behind its host. None: another host's.
    [[nodiscard]] std::optional<std::string> local(std::string address) const;
    [[nodiscard]] Attached attach_request(LinkEnd& end, const std::string& node, Answerer answerer);
    [[nodiscard]] bool is_management(const std::string& address) const;
    [[nodiscard]] bool may_manage(Peer& peer) const;
    [[nodiscard]] Attached attach_management(Peer& peer, LinkEnd& end);
    [[nodiscard]] Attached attach_partition(Peer& peer, LinkEnd& end, const std::string& address);
    [[nodiscard]] Attached attach_devicebound(Peer& peer, LinkEnd& end, const std::string& address);
    [[nodiscard]] Attached attach_feedback(Peer& peer, LinkEnd& end, const std::string& address);

    const Parts& parts_;
    EventHub& events_;
    FeedbackStation& feedback_;
    ReplyLinks replies_;
};

}  // namespace mitral::cloud::amqp
