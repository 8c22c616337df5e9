// One consumer at one partition: reads the log from a position on, as far as credit goes.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "cloud/amqp/attachment.hpp"
#include "cloud/amqp/event_hub.hpp"

namespace mitral::cloud::amqp {

class EventReceiver final : public Attachment {
  public:
    // `end` has the group's and the partition's address. Fails when the position is not understood
    // or others hold the place.
    [[nodiscard]] static Attached open(EventHub& hub, Peer& peer, LinkEnd& end, std::string group,
                                       unsigned partition);
    ~EventReceiver() override;

    [[nodiscard]] bool pump() override;
    void on_outcome(std::uint64_t tag, Outcome outcome) override;

    [[nodiscard]] const std::string& group() const noexcept { return group_; }
    [[nodiscard]] unsigned partition() const noexcept { return partition_; }
    [[nodiscard]] std::optional<std::int64_t> epoch() const noexcept { return epoch_; }
    void end(const Refusal& why);

  private:
    EventReceiver(EventHub& hub, Peer& peer, const LinkEnd& end, std::string group,
                  unsigned partition, const Position& position, std::uint64_t start);
    [[nodiscard]] bool may_send() const;
    [[nodiscard]] base::Result<bool> refill();
    [[nodiscard]] base::Status consider(std::string_view line);
    [[nodiscard]] std::string_view next_line();

    EventHub& hub_;
    Peer& peer_;
    LinkEnd end_;
    std::string group_;
    unsigned partition_;
    std::optional<std::int64_t> epoch_;
    std::int64_t after_ms_;  // nothing enqueued at or before this; until the first one later
    log::Tail tail_;
    std::string text_;  // whole lines read and not looked at
    std::size_t looked_at_ = 0;
    std::uint64_t sent_ = 0;
    std::size_t unsettled_ = 0;
    bool settles_;
};

}  // namespace mitral::cloud::amqp
