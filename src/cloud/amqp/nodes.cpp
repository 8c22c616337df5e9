#include "cloud/amqp/nodes.hpp"

#include <algorithm>
#include <optional>

#include "azure/text.hpp"
#include "cloud/amqp/devicebound.hpp"
#include "cloud/amqp/event_receiver.hpp"
#include "cloud/amqp/management.hpp"

namespace mitral::cloud::amqp {
namespace {

constexpr std::size_t longest_address = 1024;
constexpr std::string_view cbs = "$cbs";
constexpr std::string_view management = "$management";

Attached refused(std::string condition, std::string description) {
    return std::unexpected(Refusal{std::move(condition), std::move(description)});
}

Attached unauthorised() {
    return refused("amqp:unauthorized-access",
                   "put a token of a policy with ServiceConnect for this address first");
}

bool may_serve(Peer& peer, std::string_view path) {
    return peer.claims().allowed_until(path, hub::service_connect).has_value();
}

Message put_token(Peer& peer, const Message& request, metrics::BackEndTraffic& traffic) {
    if (text_property(request, "operation") != "put-token")
        return answer_with(400, "only put-token is supported");
    if (text_property(request, "type") != "servicebus.windows.net:sastoken")
        return answer_with(401, "only shared access signatures are supported");
    const auto* token = std::get_if<Binary>(&request.body);
    if (token == nullptr || !peer.put_token(token->bytes)) {
        ++traffic.refused;
        return answer_with(401, "the token is not accepted");
    }
    return answer_with(200, "OK");
}

struct PartitionAddress {
    std::string_view group;
    std::string_view partition;
};

// "{entity}/ConsumerGroups/{group}/Partitions/{id}"; the entity was cut off before.
std::optional<PartitionAddress> parse_partition_address(std::string_view text) {
    constexpr std::string_view groups = "consumergroups/";
    constexpr std::string_view partitions = "/partitions/";
    const auto lower = azure::to_lower(text);
    const auto middle = lower.find(partitions);
    if (!lower.starts_with(groups) || middle == std::string::npos || middle <= groups.size())
        return std::nullopt;
    return PartitionAddress{text.substr(groups.size(), middle - groups.size()),
                            text.substr(middle + partitions.size())};
}

// The entity at the front of an address: what is left behind it, or nothing.
std::optional<std::string_view> behind_entity(const EventHub& hub, std::string_view address) {
    for (auto slash = address.find('/'); slash != std::string_view::npos;
         slash = address.find('/', slash + 1))
        if (hub.is_name(address.substr(0, slash)))
            return address.substr(slash + 1);
    return std::nullopt;
}

}  // namespace

std::optional<std::string> ServiceNodes::local(std::string address) const {
    constexpr std::string_view mark = "://";
    const auto scheme = address.find(mark);
    if (scheme == std::string::npos)
        return address;
    const auto host = scheme + mark.size();
    const auto path = std::min(address.find('/', host), address.size());
    if (!parts_.hosts.knows(address.substr(host, path - host)))
        return std::nullopt;
    const auto begin = std::min(address.find_first_not_of('/', path), address.size());
    return address.substr(begin);
}

Attached ServiceNodes::attach(Peer& peer, LinkEnd& end) {
    auto attached = lead(peer, end);
    if (!attached)
        ++parts_.traffic.refused;
    return attached;
}

Attached ServiceNodes::lead(Peer& peer, LinkEnd& end) {
    const auto given = end.address();
    if (given.size() > longest_address)
        return refused("amqp:invalid-field", "the address is too long");
    const auto known = local(given);
    if (!known)
        return refused("amqp:not-found", "no such host: " + given.substr(0, 256));
    const auto& address = *known;
    const auto lower = azure::to_lower(address);
    if (lower == cbs)
        return attach_request(end, std::string(cbs), [this, &peer](const Message& request) {
            return put_token(peer, request, parts_.traffic);
        });
    const auto rest = behind_entity(events_, address);
    if (is_management(address))
        return attach_management(peer, end);
    if (rest && azure::to_lower(*rest).starts_with("consumergroups/"))
        return attach_partition(peer, end, address);
    if (lower == "messages/devicebound")
        return attach_devicebound(peer, end, address);
    if (lower == "messages/servicebound/feedback")
        return attach_feedback(peer, end, address);
    if (lower == "messages/servicebound/filenotifications")
        return refused("amqp:not-implemented", "Receive file notification is not supported");
    if (lower.starts_with("devices/"))
        return refused("amqp:not-implemented", "devices over AMQP are not supported");
    return refused("amqp:not-found", "no such node: " + address.substr(0, 256));
}

bool ServiceNodes::may_stay(Peer& peer, const std::string& given) {
    const auto address = local(given).value_or(given);
    if (azure::to_lower(address) == cbs)
        return true;
    return is_management(address) ? may_manage(peer) : may_serve(peer, address);
}

bool ServiceNodes::is_management(const std::string& address) const {
    const auto rest = behind_entity(events_, address);
    return azure::to_lower(rest.value_or(address)) == management;
}

bool ServiceNodes::may_manage(Peer& peer) const {
    const auto covered = [&](std::string_view entity) {
        return may_serve(peer, std::string(entity) + "/" + std::string(management));
    };
    const auto& names = parts_.hosts.names();
    return covered(EventHub::name) || std::any_of(names.begin(), names.end(), covered);
}

Attached ServiceNodes::attach_request(LinkEnd& end, const std::string& node, Answerer answerer) {
    if (end.outgoing())
        return std::make_unique<ReplyLink>(replies_, node, end);
    return std::make_unique<RequestLink>(replies_, node, std::move(answerer));
}

Attached ServiceNodes::attach_management(Peer& peer, LinkEnd& end) {
    if (!may_manage(peer))
        return unauthorised();
    return attach_request(end, std::string(management),
                          [this](const Message& request) { return manage(events_, request); });
}

Attached ServiceNodes::attach_partition(Peer& peer, LinkEnd& end, const std::string& address) {
    if (!may_serve(peer, address))
        return unauthorised();
    const auto parsed = parse_partition_address(behind_entity(events_, address).value_or(""));
    const auto partition = parsed ? parse_partition(parsed->partition) : std::nullopt;
    if (!partition || !events_.has_group(parsed->group))
        return refused("amqp:not-found", "no such consumer group or partition");
    if (!end.outgoing())
        return refused("amqp:not-allowed", "events come from devices only");
    return EventReceiver::open(events_, peer, end, std::string(parsed->group), *partition);
}

Attached ServiceNodes::attach_devicebound(Peer& peer, LinkEnd& end, const std::string& address) {
    if (!may_serve(peer, address))
        return unauthorised();
    if (end.outgoing())
        return refused("amqp:not-allowed", "messages are sent here, not received");
    return std::make_unique<DeviceboundSender>(parts_.queue, parts_.wake_device, parts_.may_send,
                                               parts_.clock);
}

Attached ServiceNodes::attach_feedback(Peer& peer, LinkEnd& end, const std::string& address) {
    if (!may_serve(peer, address))
        return unauthorised();
    if (!end.outgoing())
        return refused("amqp:not-allowed", "feedback is received here, not sent");
    return std::make_unique<FeedbackReceiver>(feedback_, peer, end);
}

}  // namespace mitral::cloud::amqp
