// Cloud-to-device messages: a queue for each device, kept in the database until a message is
// completed, rejected, expired or delivered too often (IoT Hub, "message life cycle").
#pragma once

#include <array>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "azure/topics.hpp"
#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "cloud/store/database.hpp"

namespace mitral::cloud::hub {

struct DeviceboundLimits {
    std::size_t pending = 50;  // of one device
    std::size_t max_bytes = 64 * 1024;
    std::int64_t max_deliveries = 10;
    base::Seconds time_to_live{3600};
    base::Seconds longest_time_to_live{48 * 3600};
    base::Milliseconds lock{60'000};
    std::size_t feedback = 10'000;  // newest records kept
};

enum class FeedbackWish : std::uint8_t { none, positive, negative, full };

// What a sender gives.
struct DeviceboundMessage {
    std::string message_id{};
    std::string correlation_id{};
    std::string user_id{};
    std::string content_type{};
    std::string content_encoding{};
    azure::PropertyBag properties{};
    std::string body{};  // any bytes
    FeedbackWish ack = FeedbackWish::none;
    std::optional<base::Seconds> time_to_live{};
};

// What a device gets.
struct DeviceboundDelivery {
    std::int64_t sequence = 0;
    std::string lock_token{};  // settles this delivery, for as long as the lock lasts
    std::int64_t deliveries = 0;
    base::WallTime enqueued{};
    base::WallTime expires{};
    std::uint16_t packet_id = 0;  // of an earlier delivery over MQTT, or 0
    DeviceboundMessage message{};
};

struct FeedbackRecord {
    std::int64_t sequence = 0;
    base::WallTime at{};
    std::string message_id{};
    std::string device{};
    std::string generation{};
    std::string outcome{};  // Success, Expired, DeliveryCountExceeded, Rejected, Purged
};

// Times are the wall clock's. Every call first removes what has expired.
class DeviceboundQueue {
  public:
    DeviceboundQueue(store::Database& database, const base::Clock& clock,
                     DeviceboundLimits limits = {})
        : database_(database), clock_(clock), limits_(limits) {}

    // Since the process started.
    struct Counters {
        std::uint64_t sent = 0;
        std::array<std::uint64_t, 5> ended{};  // in the order of outcomes
    };
    static constexpr std::array<std::string_view, 5> outcomes{
        "Success", "Expired", "DeliveryCountExceeded", "Rejected", "Purged"};
    [[nodiscard]] const Counters& counters() const noexcept { return counters_; }

    // Yields the sequence number. Fails with not_found, too_large, queue_full, invalid_argument.
    [[nodiscard]] base::Result<std::int64_t> send(std::string_view device,
                                                  DeviceboundMessage message);
    // Locks the oldest message that is free and has at least this sequence number.
    [[nodiscard]] base::Result<std::optional<DeviceboundDelivery>> take(std::string_view device,
                                                                        std::int64_t from = 0);
    // The three ends of a delivery. Each fails with stale_etag when the lock is not held (any
    // more).
    [[nodiscard]] base::Status complete(std::string_view device, std::string_view lock);
    [[nodiscard]] base::Status reject(std::string_view device, std::string_view lock);
    [[nodiscard]] base::Status abandon(std::string_view device, std::string_view lock);
    // Remembered for a repeated delivery [MQTT-4.4.0-1].
    [[nodiscard]] base::Status set_packet_id(std::int64_t sequence, std::uint16_t packet_id);

    // No lock outlives the server that gave it: its clients are gone.
    [[nodiscard]] base::Status release_all();

    [[nodiscard]] base::Result<std::size_t> pending(std::string_view device) const;
    // Removes all; how many there were.
    [[nodiscard]] base::Result<std::size_t> purge(std::string_view device);
    // Records from this sequence number on, oldest first.
    [[nodiscard]] base::Result<std::vector<FeedbackRecord>> feedback(std::int64_t from,
                                                                     std::size_t limit);

    // Up to which record the service's client has completed what it received; 0 at first.
    [[nodiscard]] base::Result<std::int64_t> completed_feedback() const;
    [[nodiscard]] base::Status complete_feedback(std::int64_t sequence);
    // Called at every new record, before it is certain to stay: look later, from the loop.
    void on_feedback(std::function<void()> told) { feedback_told_ = std::move(told); }

    // Where a subscription begins: messages below it were sent before. Kept with the subscription.
    [[nodiscard]] base::Result<std::int64_t> begin_subscription(std::string_view client);
    [[nodiscard]] base::Status end_subscription(std::string_view client);

  private:
    struct Ended {
        std::int64_t sequence;
        std::string_view outcome;
    };
    [[nodiscard]] base::Status expire();
    [[nodiscard]] base::Status end(Ended ended);
    [[nodiscard]] base::Status settle(std::string_view device, std::string_view lock,
                                      std::string_view outcome);
    [[nodiscard]] base::Result<std::optional<std::int64_t>> locked(std::string_view device,
                                                                   std::string_view lock) const;
    [[nodiscard]] base::Status check(const DeviceboundMessage& message) const;

    store::Database& database_;
    const base::Clock& clock_;
    DeviceboundLimits limits_;
    Counters counters_;
    std::function<void()> feedback_told_;
};

}  // namespace mitral::cloud::hub
