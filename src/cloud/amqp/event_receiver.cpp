#include "cloud/amqp/event_receiver.hpp"

#include <algorithm>
#include <limits>

#include "base/log.hpp"
#include "cloud/amqp/event_line.hpp"

namespace mitral::cloud::amqp {
namespace {

constexpr std::size_t read_size = 64 * 1024;
constexpr std::size_t queue_limit = 128 * 1024;       // unsent bytes of a session
constexpr std::size_t looked_at_limit = 1024 * 1024;  // of the log in one turn
constexpr std::size_t unsettled_limit = 200;
constexpr std::int64_t any_time = std::numeric_limits<std::int64_t>::min();

}  // namespace

Attached EventReceiver::open(EventHub& hub, Peer& peer, LinkEnd& end, std::string group,
                             unsigned partition) {
    Position position;
    if (const auto selector = end.selector()) {
        const auto parsed = parse_selector(*selector);
        if (!parsed)
            return std::unexpected(Refusal{"amqp:invalid-field", parsed.error().context});
        position = *parsed;
    }
    const auto start = hub.start_of(position);
    if (!start)
        return std::unexpected(Refusal{"amqp:internal-error", "the message log cannot be read"});
    std::unique_ptr<EventReceiver> receiver(
        new EventReceiver(hub, peer, end, std::move(group), partition, position, *start));
    if (auto entered = hub.enter(*receiver); !entered)
        return std::unexpected(std::move(entered).error());
    return receiver;
}

EventReceiver::EventReceiver(EventHub& hub, Peer& peer, const LinkEnd& end, std::string group,
                             unsigned partition, const Position& position, std::uint64_t start)
    : hub_(hub),
      peer_(peer),
      end_(end),
      group_(std::move(group)),
      partition_(partition),
      epoch_(end.property("com.microsoft:epoch")),
      after_ms_(position.kind == Position::Kind::enqueued ? position.after_ms : any_time),
      tail_(hub.log(), start),
      settles_(!end.wants_unsettled()) {}

EventReceiver::~EventReceiver() {
    hub_.leave(*this);
    hub_.forget(peer_);
}

void EventReceiver::end(const Refusal& why) {
    end_.close(why);
    peer_.wake();
}

bool EventReceiver::may_send() const {
    return end_.credit() > 0 && end_.queued() < queue_limit && unsettled_ < unsettled_limit;
}

bool EventReceiver::pump() {
    for (std::size_t looked_at = 0; may_send();) {
        if (looked_at > looked_at_limit)
            return true;
        const auto line = next_line();
        looked_at += line.size();
        if (const auto sent = consider(line); !sent) {
            base::log(base::Severity::error, "events-not-read",
                      {{"cause", sent.error().message()}});
            end_.close({"amqp:internal-error", "the message log cannot be read"});
            return false;
        }
        if (!line.empty())
            continue;
        const auto more = refill();
        if (!more) {
            base::log(base::Severity::error, "events-not-read",
                      {{"cause", more.error().message()}});
            end_.close({"amqp:internal-error", "the message log cannot be read"});
            return false;
        }
        if (!*more) {
            if (end_.draining())
                end_.drained();
            hub_.wait(peer_);
            return false;
        }
    }
    return false;
}

std::string_view EventReceiver::next_line() {
    const auto rest = std::string_view(text_).substr(looked_at_);
    const auto line = rest.substr(0, rest.find('\n'));
    looked_at_ += std::min(line.size() + 1, rest.size());
    return line;
}

base::Result<bool> EventReceiver::refill() {
    looked_at_ = 0;
    MITRAL_TRY(text_, tail_.next(read_size));
    return !text_.empty();
}

base::Status EventReceiver::consider(std::string_view line) {
    const auto head = read_head(line);
    if (!head || partition_of(head->device, EventHub::partitions) != partition_ ||
        head->enqueued.ms <= after_ms_)
        return {};
    after_ms_ = any_time;  // the clock may step back later
    MITRAL_TRY(const auto event, to_event(line));
    MITRAL_TRY(const auto bytes, encode_message(event));
    end_.send(bytes, ++sent_, settles_);
    hub_.note_delivered();
    unsettled_ += settles_ ? 0 : 1;
    return {};
}

void EventReceiver::on_outcome(std::uint64_t, Outcome) {
    unsettled_ -= unsettled_ > 0 ? 1 : 0;
}

}  // namespace mitral::cloud::amqp
