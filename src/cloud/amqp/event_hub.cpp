#include "cloud/amqp/event_hub.hpp"

#include <algorithm>
#include <utility>

#include "azure/text.hpp"
#include "base/file.hpp"
#include "cloud/amqp/event_line.hpp"
#include "cloud/amqp/event_receiver.hpp"

namespace mitral::cloud::amqp {
namespace {

constexpr std::size_t slice = 1024 * 1024;  // of the log, in one turn

}  // namespace

EventHub::EventHub(const log::MessageLog& log, log::Broadcast& news, const hub::Hosts& hosts,
                   base::WallTime created, std::vector<std::string> consumer_groups)
    : log_(log),
      news_(news),
      hosts_(hosts),
      created_(created),
      groups_(std::move(consumer_groups)),
      states_(partitions) {
    groups_.emplace_back("$Default");
    for (auto& group : groups_)
        group = azure::to_lower(group);
}

bool EventHub::is_name(std::string_view entity) const {
    return azure::to_lower(entity) == name || hosts_.knows(entity);
}

bool EventHub::has_group(std::string_view group) const {
    return std::find(groups_.begin(), groups_.end(), azure::to_lower(group)) != groups_.end();
}

void EventHub::wait(Peer& peer) {
    waiting_.insert(&peer);
    if (!std::exchange(listening_, true))
        news_.wait([this] { on_news(); });
}

void EventHub::on_news() {
    listening_ = false;
    // Those that find nothing come back while the others are woken.
    for (auto* peer : std::exchange(waiting_, {}))
        peer->wake();
}

base::Result<std::optional<PartitionState>> EventHub::state_of(unsigned partition) {
    MITRAL_TRY(const bool done, catch_up());
    if (!done)
        return std::nullopt;
    auto state = states_.at(partition);
    state.begin = log_.first_offset();
    state.empty = state.empty || state.last < state.begin;
    return state;
}

base::Result<bool> EventHub::catch_up() {
    if (!follower_)
        follower_.emplace(log_, log_.first_offset());
    for (std::size_t read = 0; read < slice;) {
        MITRAL_TRY(const auto text, follower_->next(slice));
        if (text.empty())  // a short one may be the end of a segment
            return true;
        note_lines(text);
        read += text.size();
    }
    return false;
}

void EventHub::note_lines(std::string_view rest) {
    while (!rest.empty()) {
        const auto end = rest.find('\n');
        note(rest.substr(0, end));
        rest.remove_prefix(std::min(end, rest.size() - 1) + 1);
    }
}

void EventHub::note(std::string_view line) {
    if (const auto head = read_head(line))
        states_[partition_of(head->device, partitions)] = {
            .empty = false, .last = head->offset, .last_enqueued = head->enqueued};
}

base::Result<std::uint64_t> EventHub::start_of(const Position& position) const {
    switch (position.kind) {
        case Position::Kind::earliest:
            return log_.first_offset();
        case Position::Kind::latest:
            return log_.end_offset();
        case Position::Kind::offset:
            return position.from;
        case Position::Kind::enqueued:
            break;
    }
    // The segment that begins last before that time; the rest is skipped while reading.
    const auto& segments = log_.segments();
    for (auto segment = segments.rbegin(); segment != segments.rend(); ++segment) {
        if (segment->bytes == 0)
            continue;
        log::Tail first(log_, segment->first);
        MITRAL_TRY(const auto text, first.next(1));
        const auto head = read_head(text);
        if (head && head->enqueued.ms <= position.after_ms)
            return segment->first;
    }
    return log_.first_offset();
}

std::expected<void, Refusal> EventHub::enter(EventReceiver& receiver) {
    auto& readers = readers_[{azure::to_lower(receiver.group()), receiver.partition()}];
    const auto epoch = receiver.epoch();
    for (const auto* other : readers)
        if (other->epoch() && (!epoch || *other->epoch() > *epoch))
            return std::unexpected(
                Refusal{"amqp:link:stolen", "a receiver with a higher epoch reads this partition"});
    if (!epoch && readers.size() >= receivers_without_epoch)
        return std::unexpected(
            Refusal{"amqp:resource-limit-exceeded", "five receivers read this partition"});
    if (epoch)
        for (auto* other : std::exchange(readers, {}))
            other->end({"amqp:link:stolen", "a receiver with a higher epoch took this partition"});
    readers.push_back(&receiver);
    return {};
}

void EventHub::leave(EventReceiver& receiver) {
    const auto found = readers_.find({azure::to_lower(receiver.group()), receiver.partition()});
    if (found != readers_.end() && std::erase(found->second, &receiver) > 0 &&
        found->second.empty())
        readers_.erase(found);
}

}  // namespace mitral::cloud::amqp
