// The Event Hubs-compatible endpoint: the message log as partitions, shared by all connections.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "cloud/amqp/connection.hpp"
#include "cloud/amqp/selector.hpp"
#include "cloud/hub/hosts.hpp"
#include "cloud/log/broadcast.hpp"
#include "cloud/log/message_log.hpp"
#include "cloud/log/tail.hpp"

namespace mitral::cloud::amqp {

class EventReceiver;

struct PartitionState {
    bool empty = true;  // also when the log has dropped all of it
    std::uint64_t begin = 0;
    std::uint64_t last = 0;  // offset of the newest event
    base::WallTime last_enqueued{};
};

// Sequence numbers and offsets of a partition are the offsets of the log: they rise, with gaps, and
// stay what they are for as long as the log does.
class EventHub {
  public:
    static constexpr unsigned partitions = 4;
    static constexpr std::size_t receivers_without_epoch = 5;  // of a group at a partition
    static constexpr std::string_view name = "messages/events";

    EventHub(const log::MessageLog& log, log::Broadcast& news, const hub::Hosts& hosts,
             base::WallTime created, std::vector<std::string> consumer_groups);
    EventHub(const EventHub&) = delete;
    EventHub& operator=(const EventHub&) = delete;

    // "messages/events", or a name of this hub.
    [[nodiscard]] bool is_name(std::string_view entity) const;
    [[nodiscard]] bool has_group(std::string_view group) const;
    [[nodiscard]] base::WallTime created() const noexcept { return created_; }

    // Nothing while it still reads the log: ask again at the next turn.
    [[nodiscard]] base::Result<std::optional<PartitionState>> state_of(unsigned partition);
    // The newest offset before which nothing is wanted.
    [[nodiscard]] base::Result<std::uint64_t> start_of(const Position& position) const;
    [[nodiscard]] const log::MessageLog& log() const noexcept { return log_; }

    // Wakes the peer once when there is more.
    void wait(Peer& peer);
    void forget(Peer& peer) { waiting_.erase(&peer); }

    // One reader at a time for an epoch, the highest epoch wins; up to five without.
    [[nodiscard]] std::expected<void, Refusal> enter(EventReceiver& receiver);
    void leave(EventReceiver& receiver);

    // Where events that are handed to consumers are counted; it outlives the hub.
    void count_delivered_in(std::uint64_t& count) noexcept { delivered_ = &count; }
    void note_delivered() noexcept {
        if (delivered_ != nullptr)
            ++*delivered_;
    }

  private:
    using Place = std::pair<std::string, unsigned>;  // consumer group and partition

    void on_news();
    [[nodiscard]] base::Result<bool> catch_up();
    void note_lines(std::string_view lines);
    void note(std::string_view line);

    const log::MessageLog& log_;
    log::Broadcast& news_;
    const hub::Hosts& hosts_;
    base::WallTime created_;
    std::vector<std::string> groups_;
    std::set<Peer*> waiting_;
    bool listening_ = false;
    std::uint64_t* delivered_ = nullptr;
    std::map<Place, std::vector<EventReceiver*>> readers_;
    std::optional<log::Tail> follower_;  // for the states, from the first question on
    std::vector<PartitionState> states_;
};

}  // namespace mitral::cloud::amqp
