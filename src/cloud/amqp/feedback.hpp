// "/messages/serviceBound/feedback": what became of messages to devices, in batches that the
// service's client completes.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "cloud/amqp/attachment.hpp"
#include "cloud/amqp/connection.hpp"
#include "cloud/hub/devicebound_queue.hpp"

namespace mitral::cloud::amqp {

class FeedbackReceiver;

// Shared by all connections: one batch is on its way at a time, so that completing it is a single
// number to remember.
class FeedbackStation {
  public:
    static constexpr std::size_t batch = 64;
    // Whoever does not complete its batch in this time loses it to the next, as at IoT Hub.
    static constexpr base::Seconds lock_time{60};

    FeedbackStation(hub::DeviceboundQueue& queue, std::string hub_name, const base::Clock& clock);
    FeedbackStation(const FeedbackStation&) = delete;
    FeedbackStation& operator=(const FeedbackStation&) = delete;

    // The next batch for this receiver, as a message; none when there is nothing or somebody has
    // it.
    [[nodiscard]] base::Result<std::optional<Message>> take(FeedbackReceiver& receiver);
    void settle(FeedbackReceiver& receiver, Outcome outcome);
    [[nodiscard]] bool holds(const FeedbackReceiver& receiver) const;

    void wait(Peer& peer) { waiting_.insert(&peer); }
    void forget(Peer& peer) { waiting_.erase(&peer); }

  private:
    void wake_all();

    hub::DeviceboundQueue& queue_;
    std::string hub_name_;
    const base::Clock& clock_;
    FeedbackReceiver* holder_ = nullptr;
    base::MonotonicTime lock_end_{};
    std::int64_t last_ = 0;  // of the batch on its way
    std::set<Peer*> waiting_;
};

class FeedbackReceiver final : public Attachment {
  public:
    FeedbackReceiver(FeedbackStation& station, Peer& peer, const LinkEnd& end)
        : station_(station), peer_(peer), end_(end) {}
    ~FeedbackReceiver() override;
    [[nodiscard]] bool pump() override;
    void on_outcome(std::uint64_t tag, Outcome outcome) override;

  private:
    FeedbackStation& station_;
    Peer& peer_;
    LinkEnd end_;
    std::uint64_t sent_ = 0;
};

[[nodiscard]] Message to_message(const std::vector<hub::FeedbackRecord>& records,
                                 const std::string& hub_name);

}  // namespace mitral::cloud::amqp
