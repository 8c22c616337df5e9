#include "cloud/amqp/peer_rules.hpp"

#include <utility>

#include "cloud/amqp/encoding.hpp"
#include "cloud/error.hpp"

namespace mitral::cloud::amqp {
namespace {

// More than the engine lets be; it says why.
constexpr std::size_t most_sessions = 64;
constexpr std::size_t most_links = 1'024;
constexpr std::uint32_t highest_handle = 0x7fffffff;  // what our begin says
constexpr std::size_t longest_name = 1'024;
constexpr std::size_t longest_tag = 32;  // part 2, § 2.8.7
// The library keeps a copy of the state for each delivery of the range.
constexpr std::size_t longest_range_disposition = 256;

enum Performative : std::uint64_t {
    open = 0x10,
    begin = 0x11,
    attach = 0x12,
    flow = 0x13,
    transfer = 0x14,
    disposition = 0x15,
    detach = 0x16,
    end = 0x17,
    close = 0x18,
};
constexpr std::uint8_t null = 0x40;             // encoded
constexpr std::uint64_t received_state = 0x23;  // no outcome (part 3, § 3.4.1)

auto malformed(const char* why) {
    return base::fail(CloudError::malformed_packet, why);
}

base::Status judge_disposition(base::ByteView list) {
    const auto size = list.size();
    auto fields = EncodedValues(list).list();
    (void)fields.boolean();  // role
    const auto first = fields.uint();
    const auto last = fields.uint();
    const bool settled = fields.boolean().value_or(false);
    const auto state = fields.described();
    if (fields.broken() || !first)
        return malformed("a disposition that cannot be read");
    if (!last || last == first)
        return {};
    if (!settled && (!state || state->code == received_state))
        return malformed("a disposition that says nothing");
    if (size > longest_range_disposition)
        return malformed("a disposition that says too much");
    return {};
}

}  // namespace

bool PeerRules::is_transfer(base::ByteView body) {
    return (body.size() > 2 && body[0] == 0 && body[1] == 0x53 && body[2] == transfer) ||
           (body.size() > 9 && body[0] == 0 && body[1] == 0x80 && body[9] == transfer);
}

base::Status PeerRules::judge(std::uint16_t channel, base::ByteView body) {
    if (body.empty())
        return {};  // a heartbeat
    if (is_transfer(body))
        return judge_transfer(channel, body);
    EncodedValues whole(body);
    const auto performative = whole.described();
    if (!performative || !whole.empty())
        return malformed("a frame without performative");
    const auto list = performative->value;
    switch (performative->code) {
        case open:
            return std::exchange(opened_, true) ? malformed("a second open") : base::Status();
        case begin:
            return judge_begin(channel, list);
        case attach:
            return judge_attach(channel, list);
        case disposition:
            return judge_disposition(list);
        case detach:
            return judge_detach(channel, list);
        case end:
            return judge_end(channel);
        case flow:
        case close:
            return {};
        default:
            return malformed("a frame without performative");
    }
}

base::Status PeerRules::judge_begin(std::uint16_t channel, base::ByteView list) {
    const auto fields = EncodedValues(list).list();
    if (fields.empty())
        return malformed("a begin that cannot be read");
    if (fields.remaining().front() != null)
        return malformed("a begin in answer to none");
    if (sessions_.size() >= most_sessions || !sessions_.insert(channel).second)
        return malformed("a begin on a channel in use");
    return {};
}

base::Status PeerRules::judge_end(std::uint16_t channel) {
    if (sessions_.erase(channel) == 0)
        return malformed("an end on a channel not in use");
    const auto of_session = [&](const Link& link) { return link.first == channel; };
    std::erase_if(links_, of_session);
    std::erase_if(under_way_, of_session);
    return {};
}

base::Status PeerRules::judge_attach(std::uint16_t channel, base::ByteView list) {
    auto fields = EncodedValues(list).list();
    const auto name = fields.text();
    const auto handle = fields.uint();
    if (fields.broken() || !name || name->size() > longest_name || !handle)
        return malformed("an attach that cannot be read");
    if (*handle > highest_handle)
        return malformed("a handle above the highest");
    if (links_.size() >= most_links || !links_.emplace(channel, *handle).second)
        return malformed("an attach to a handle in use");
    return {};
}

base::Status PeerRules::judge_detach(std::uint16_t channel, base::ByteView list) {
    auto fields = EncodedValues(list).list();
    const auto handle = fields.uint();
    if (fields.broken() || !handle || links_.erase({channel, *handle}) == 0)
        return malformed("a detach of a handle not in use");
    under_way_.erase({channel, *handle});
    return {};
}

base::Status PeerRules::judge_transfer(std::uint16_t channel, base::ByteView body) {
    EncodedValues after_code(body.subspan(body[1] == 0x53 ? 3 : 10));
    auto fields = after_code.list();
    const auto handle = fields.uint();
    const auto delivery_id = fields.uint();
    const auto tag = fields.bytes();
    (void)fields.uint();     // message-format
    (void)fields.boolean();  // settled
    const bool more = fields.boolean().value_or(false);
    if (!fields.empty())
        (void)fields.skip();  // rcv-settle-mode
    const bool has_state = fields.described().has_value();
    (void)fields.boolean();  // resume
    const bool aborted = fields.boolean().value_or(false);
    if (after_code.broken() || fields.broken() || !handle || tag.value_or("").size() > longest_tag)
        return malformed("a transfer that cannot be read");
    const Link link{channel, *handle};
    if (!delivery_id && !under_way_.contains(link))
        return malformed("a transfer without delivery-id");
    // What has a state, or was aborted, has to be named again.
    if (!more || has_state || aborted)
        under_way_.erase(link);
    else if (links_.contains(link))
        under_way_.insert(link);
    return {};
}

}  // namespace mitral::cloud::amqp
