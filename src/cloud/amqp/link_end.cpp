#include "cloud/amqp/link_end.hpp"

#include <proton/codec.h>
#include <proton/condition.h>
#include <proton/connection.h>
#include <proton/delivery.h>
#include <proton/link.h>
#include <proton/session.h>
#include <proton/terminus.h>

#include <array>
#include <cstring>

namespace mitral::cloud::amqp {
namespace {

std::string_view view(pn_bytes_t bytes) {
    return bytes.start == nullptr ? std::string_view() : std::string_view(bytes.start, bytes.size);
}

std::string_view name_at(pn_data_t* data) {
    if (pn_data_type(data) == PN_SYMBOL)
        return view(pn_data_get_symbol(data));
    return pn_data_type(data) == PN_STRING ? view(pn_data_get_string(data)) : std::string_view();
}

// Positions `data` on the value of a map's member.
bool find_member(pn_data_t* data, std::string_view wanted) {
    pn_data_rewind(data);
    if (!pn_data_next(data) || pn_data_type(data) != PN_MAP || !pn_data_enter(data))
        return false;
    while (pn_data_next(data)) {
        const bool found = name_at(data) == wanted;
        if (!pn_data_next(data))
            return false;
        if (found)
            return true;
    }
    return false;
}

std::string address_of(pn_terminus_t* terminus) {
    const char* address = pn_terminus_get_address(terminus);
    std::string_view text = address == nullptr ? "" : address;
    while (text.starts_with('/'))
        text.remove_prefix(1);
    return std::string(text);
}

}  // namespace

bool LinkEnd::outgoing() const {
    return pn_link_is_sender(link_);
}

std::string LinkEnd::address() const {
    return address_of(outgoing() ? pn_link_remote_source(link_) : pn_link_remote_target(link_));
}

std::string LinkEnd::name() const {
    const char* name = pn_link_name(link_);
    return name == nullptr ? std::string() : std::string(name);
}

std::string LinkEnd::target() const {
    return address_of(pn_link_remote_target(link_));
}

std::optional<std::string> LinkEnd::selector() const {
    auto* filter = pn_terminus_filter(pn_link_remote_source(link_));
    if (!find_member(filter, "apache.org:selector-filter:string"))
        return std::nullopt;
    if (pn_data_type(filter) == PN_DESCRIBED &&
        (!pn_data_enter(filter) || !pn_data_next(filter) || !pn_data_next(filter)))
        return std::string();
    return std::string(name_at(filter));
}

std::optional<std::int64_t> LinkEnd::property(std::string_view name) const {
    auto* properties = pn_link_remote_properties(link_);
    if (properties == nullptr || !find_member(properties, name))
        return std::nullopt;
    switch (pn_data_type(properties)) {
        case PN_LONG:
            return pn_data_get_long(properties);
        case PN_INT:
            return pn_data_get_int(properties);
        case PN_UINT:
            return pn_data_get_uint(properties);
        case PN_ULONG:
            return static_cast<std::int64_t>(pn_data_get_ulong(properties) & 0x7fffffffffffffffULL);
        default:
            return std::nullopt;
    }
}

bool LinkEnd::wants_settled() const {
    return pn_link_remote_snd_settle_mode(link_) == PN_SND_SETTLED;
}

bool LinkEnd::wants_unsettled() const {
    return pn_link_remote_snd_settle_mode(link_) == PN_SND_UNSETTLED;
}

void LinkEnd::open(int credit, std::size_t max_message_bytes) {
    pn_terminus_copy(pn_link_source(link_), pn_link_remote_source(link_));
    pn_terminus_copy(pn_link_target(link_), pn_link_remote_target(link_));
    pn_link_set_snd_settle_mode(link_, pn_link_remote_snd_settle_mode(link_));
    pn_link_set_rcv_settle_mode(link_, PN_RCV_FIRST);
    // Of an outgoing link clients take it for their own bound.
    if (!outgoing() && max_message_bytes != 0)
        pn_link_set_max_message_size(link_, max_message_bytes);
    pn_link_open(link_);
    if (!outgoing())
        pn_link_flow(link_, credit);
}

void LinkEnd::close(const Refusal& why) {
    if (closed())
        return;
    if ((pn_link_state(link_) & PN_LOCAL_UNINIT) != 0) {
        // Part 2, § 2.6.3: without termini, the attach says that it is about to be ended.
        pn_terminus_set_type(pn_link_source(link_), PN_UNSPECIFIED);
        pn_terminus_set_type(pn_link_target(link_), PN_UNSPECIFIED);
        pn_link_open(link_);
    }
    auto* condition = pn_link_condition(link_);
    pn_condition_set_name(condition, why.condition.c_str());
    pn_condition_set_description(condition, why.description.c_str());
    pn_link_close(link_);
}

bool LinkEnd::closed() const {
    return (pn_link_state(link_) & PN_LOCAL_CLOSED) != 0;
}

int LinkEnd::credit() const {
    return pn_link_credit(link_);
}

std::size_t LinkEnd::queued() const {
    return pn_session_outgoing_bytes(pn_link_session(link_));
}

void LinkEnd::send(base::ByteView message, std::uint64_t tag, bool settled) {
    std::array<char, sizeof tag> bytes{};
    std::memcpy(bytes.data(), &tag, sizeof tag);
    auto* delivery = pn_delivery(link_, pn_dtag(bytes.data(), bytes.size()));
    pn_delivery_set_context(delivery, link_);
    pn_link_send(link_, reinterpret_cast<const char*>(message.data()), message.size());
    pn_link_advance(link_);
    if (settled)
        pn_delivery_settle(delivery);
}

bool LinkEnd::draining() const {
    return pn_link_get_drain(link_);
}

void LinkEnd::drained() {
    pn_link_drained(link_);
}

}  // namespace mitral::cloud::amqp
