#include "cloud/hub/devicebound_queue.hpp"

#include <algorithm>
#include <charconv>

#include "base/encoding.hpp"
#include "cloud/error.hpp"
#include "cloud/store/ids.hpp"
#include "cloud/store/transaction.hpp"

namespace mitral::cloud::hub {
namespace {

constexpr std::string_view success = "Success";
constexpr std::string_view feedback_completed = "feedback-completed";

constexpr std::string_view columns =
    "sequence, lock, deliveries, enqueued, expires, packet_id, message_id, correlation_id, "
    "user_id, "
    "content_type, content_encoding, properties, body, ack";

bool wanted(std::int64_t ack, std::string_view outcome) {
    const auto wish = static_cast<FeedbackWish>(ack);
    if (wish == FeedbackWish::full)
        return true;
    return wish == (outcome == success ? FeedbackWish::positive : FeedbackWish::negative);
}

base::Result<DeviceboundDelivery> read_row(const store::Statement& row) {
    DeviceboundDelivery delivery{.sequence = row.integer(0),
                                 .lock_token = row.text(1),
                                 .deliveries = row.integer(2),
                                 .enqueued = {row.integer(3)},
                                 .expires = {row.integer(4)},
                                 .packet_id = static_cast<std::uint16_t>(row.integer(5)),
                                 .message = {.message_id = row.text(6),
                                             .correlation_id = row.text(7),
                                             .user_id = row.text(8),
                                             .content_type = row.text(9),
                                             .content_encoding = row.text(10),
                                             .ack = static_cast<FeedbackWish>(row.integer(13))}};
    MITRAL_TRY(delivery.message.properties, azure::decode_bag(row.text(11)));
    const auto body = base::from_base64(row.text(12));
    if (!body)
        return base::fail(CloudError::storage, "a stored message is damaged");
    delivery.message.body = base::as_text(*body);
    return delivery;
}

}  // namespace

base::Status DeviceboundQueue::check(const DeviceboundMessage& message) const {
    auto size = message.body.size();
    for (const auto* text : {&message.message_id, &message.correlation_id, &message.user_id,
                             &message.content_type, &message.content_encoding})
        size += text->size();
    for (const auto& property : message.properties) {
        if (property.name.empty() || property.name.starts_with('$'))
            return base::fail(CloudError::invalid_argument, "name of a property");
        size += property.name.size() + (property.value ? property.value->size() : 0);
    }
    if (size > limits_.max_bytes || message.properties.size() > azure::max_properties)
        return base::fail(CloudError::too_large, "message above 64 KiB");
    if (message.message_id.size() > 128 || message.correlation_id.size() > 128)
        return base::fail(CloudError::invalid_argument, "an id is at most 128 bytes");
    if (message.time_to_live && (*message.time_to_live <= base::Seconds(0) ||
                                 *message.time_to_live > limits_.longest_time_to_live))
        return base::fail(CloudError::invalid_argument, "time to live is 1 s to 48 h");
    return {};
}

base::Result<std::int64_t> DeviceboundQueue::send(std::string_view device,
                                                  DeviceboundMessage message) {
    MITRAL_CHECK(check(message));
    MITRAL_CHECK(expire());
    auto known = database_.prepare("SELECT 1 FROM device WHERE id = ?");
    MITRAL_TRY(const bool exists, known.bind(device).step());
    if (!exists)
        return base::fail(CloudError::not_found, "device " + std::string(device));
    MITRAL_TRY(const auto waiting, pending(device));
    if (waiting >= limits_.pending)
        return base::fail(CloudError::queue_full, "50 messages wait for the device");
    const auto now = clock_.wall().ms;
    const auto life = message.time_to_live.value_or(limits_.time_to_live);
    auto insert = database_.prepare(
        "INSERT INTO devicebound (device, lock, locked_until, deliveries, enqueued, expires, "
        "packet_id, message_id, correlation_id, user_id, content_type, content_encoding, "
        "properties, body, ack) VALUES (?, '', 0, 0, ?, ?, 0, ?, ?, ?, ?, ?, ?, ?, ?) "
        "RETURNING sequence");
    insert.bind(device).bind(now).bind(now + base::Milliseconds(life).count());
    insert.bind(message.message_id).bind(message.correlation_id).bind(message.user_id);
    insert.bind(message.content_type).bind(message.content_encoding);
    insert.bind(azure::encode_bag(message.properties));
    insert.bind(base::to_base64(base::as_bytes(message.body)));
    MITRAL_TRY(const bool row, insert.bind(static_cast<std::int64_t>(message.ack)).step());
    if (!row)
        return base::fail(CloudError::storage, "message was not stored");
    const auto sequence = insert.integer(0);
    MITRAL_TRY(const bool more, insert.step());  // to its end, or nothing is written
    (void)more;
    ++counters_.sent;
    return sequence;
}

base::Result<std::optional<DeviceboundDelivery>> DeviceboundQueue::take(std::string_view device,
                                                                        std::int64_t from) {
    MITRAL_CHECK(expire());
    const auto now = clock_.wall().ms;
    auto update = database_.prepare(
        "UPDATE devicebound SET lock = ?, locked_until = ?, deliveries = deliveries + 1 "
        "WHERE sequence = (SELECT min(sequence) FROM devicebound WHERE device = ? AND "
        "sequence >= ? AND locked_until <= ?) RETURNING " +
        std::string(columns));
    update.bind(store::new_tracking_id()).bind(now + limits_.lock.count());
    MITRAL_TRY(const bool row, update.bind(device).bind(from).bind(now).step());
    if (!row)
        return std::nullopt;
    MITRAL_TRY(auto delivery, read_row(update));
    MITRAL_TRY(const bool more, update.step());
    (void)more;
    return delivery;
}

base::Status DeviceboundQueue::complete(std::string_view device, std::string_view lock) {
    return settle(device, lock, success);
}

base::Status DeviceboundQueue::reject(std::string_view device, std::string_view lock) {
    return settle(device, lock, "Rejected");
}

base::Status DeviceboundQueue::settle(std::string_view device, std::string_view lock,
                                      std::string_view outcome) {
    MITRAL_TRY(const auto sequence, locked(device, lock));
    if (!sequence)
        return base::fail(CloudError::stale_etag, "the lock is lost");
    return end({*sequence, outcome});
}

base::Status DeviceboundQueue::abandon(std::string_view device, std::string_view lock) {
    MITRAL_TRY(const auto sequence, locked(device, lock));
    if (!sequence)
        return base::fail(CloudError::stale_etag, "the lock is lost");
    auto update =
        database_.prepare("UPDATE devicebound SET lock = '', locked_until = 0 WHERE sequence = ?");
    MITRAL_TRY(const auto changed, update.bind(*sequence).run());
    (void)changed;
    return expire();
}

base::Status DeviceboundQueue::release_all() {
    return database_.execute("UPDATE devicebound SET lock = '', locked_until = 0");
}

base::Result<std::optional<std::int64_t>> DeviceboundQueue::locked(std::string_view device,
                                                                   std::string_view lock) const {
    auto query = database_.prepare(
        "SELECT sequence FROM devicebound WHERE device = ? AND lock = ? AND locked_until > ?");
    MITRAL_TRY(const bool found, query.bind(device).bind(lock).bind(clock_.wall().ms).step());
    return found ? std::optional(query.integer(0)) : std::nullopt;
}

base::Status DeviceboundQueue::set_packet_id(std::int64_t sequence, std::uint16_t packet_id) {
    auto update = database_.prepare("UPDATE devicebound SET packet_id = ? WHERE sequence = ?");
    MITRAL_TRY(const auto changed, update.bind(std::int64_t{packet_id}).bind(sequence).run());
    (void)changed;
    return {};
}

base::Status DeviceboundQueue::expire() {
    const auto now = clock_.wall().ms;
    for (;;) {
        auto query = database_.prepare(
            "SELECT sequence, expires FROM devicebound WHERE locked_until <= ? AND "
            "(expires <= ? OR deliveries >= ?) LIMIT 1");
        MITRAL_TRY(const bool found, query.bind(now).bind(now).bind(limits_.max_deliveries).step());
        if (!found)
            return {};
        const Ended ended{query.integer(0),
                          query.integer(1) <= now ? "Expired" : "DeliveryCountExceeded"};
        MITRAL_TRY(const bool more, query.step());
        (void)more;
        MITRAL_CHECK(end(ended));
    }
}

base::Status DeviceboundQueue::end(Ended ended) {
    MITRAL_TRY(auto transaction, store::Transaction::begin(database_));
    auto query = database_.prepare(
        "DELETE FROM devicebound WHERE sequence = ? RETURNING device, message_id, ack");
    MITRAL_TRY(const bool found, query.bind(ended.sequence).step());
    const auto device = found ? query.text(0) : std::string();
    const auto message_id = found ? query.text(1) : std::string();
    const bool record = found && wanted(query.integer(2), ended.outcome);
    while (found) {
        MITRAL_TRY(const bool more, query.step());
        if (!more)
            break;
    }
    if (record) {
        auto insert = database_.prepare(
            "INSERT INTO feedback (at, message_id, device, generation, outcome) "
            "SELECT ?, ?, id, generation, ? FROM device WHERE id = ?");
        insert.bind(clock_.wall().ms).bind(message_id).bind(ended.outcome);
        MITRAL_TRY(const auto stored, insert.bind(device).run());
        (void)stored;
        auto trim = database_.prepare(
            "DELETE FROM feedback WHERE sequence <= (SELECT max(sequence) FROM feedback) - ?");
        MITRAL_TRY(const auto gone, trim.bind(static_cast<std::int64_t>(limits_.feedback)).run());
        (void)gone;
        if (feedback_told_)
            feedback_told_();
    }
    MITRAL_CHECK(transaction.commit());
    const auto at = std::find(outcomes.begin(), outcomes.end(), ended.outcome);
    if (found && at != outcomes.end())
        ++counters_.ended[static_cast<std::size_t>(at - outcomes.begin())];
    return {};
}

base::Result<std::size_t> DeviceboundQueue::pending(std::string_view device) const {
    auto query = database_.prepare("SELECT count(*) FROM devicebound WHERE device = ?");
    MITRAL_TRY(const bool row, query.bind(device).step());
    return row ? static_cast<std::size_t>(query.integer(0)) : 0;
}

base::Result<std::size_t> DeviceboundQueue::purge(std::string_view device) {
    MITRAL_CHECK(expire());
    std::size_t purged = 0;
    for (;; ++purged) {
        auto query = database_.prepare("SELECT min(sequence) FROM devicebound WHERE device = ?");
        MITRAL_TRY(const bool row, query.bind(device).step());
        const auto sequence = row ? query.integer(0) : 0;
        MITRAL_TRY(const bool more, query.step());
        (void)more;
        if (sequence == 0)
            return purged;
        MITRAL_CHECK(end({sequence, "Purged"}));
    }
}

base::Result<std::vector<FeedbackRecord>> DeviceboundQueue::feedback(std::int64_t from,
                                                                     std::size_t limit) {
    MITRAL_CHECK(expire());
    auto query = database_.prepare(
        "SELECT sequence, at, message_id, device, generation, outcome FROM feedback "
        "WHERE sequence >= ? ORDER BY sequence LIMIT ?");
    query.bind(from).bind(static_cast<std::int64_t>(limit));
    std::vector<FeedbackRecord> records;
    for (;;) {
        MITRAL_TRY(const bool row, query.step());
        if (!row)
            return records;
        records.push_back({query.integer(0),
                           {query.integer(1)},
                           query.text(2),
                           query.text(3),
                           query.text(4),
                           query.text(5)});
    }
}

base::Result<std::int64_t> DeviceboundQueue::completed_feedback() const {
    MITRAL_TRY(const auto known, database_.fact(feedback_completed));
    std::int64_t sequence = 0;
    if (known)
        std::from_chars(known->data(), known->data() + known->size(), sequence);
    return sequence;
}

base::Status DeviceboundQueue::complete_feedback(std::int64_t sequence) {
    return database_.set_fact(feedback_completed, std::to_string(sequence));
}

base::Result<std::int64_t> DeviceboundQueue::begin_subscription(std::string_view client) {
    auto insert = database_.prepare(
        "INSERT OR IGNORE INTO devicebound_subscription (client, first) VALUES (?, "
        "(SELECT ifnull(max(seq), 0) + 1 FROM sqlite_sequence WHERE name = 'devicebound'))");
    MITRAL_TRY(const auto changed, insert.bind(client).run());
    (void)changed;
    auto query = database_.prepare("SELECT first FROM devicebound_subscription WHERE client = ?");
    MITRAL_TRY(const bool row, query.bind(client).step());
    return row ? query.integer(0) : 0;
}

base::Status DeviceboundQueue::end_subscription(std::string_view client) {
    auto remove = database_.prepare("DELETE FROM devicebound_subscription WHERE client = ?");
    MITRAL_TRY(const auto changed, remove.bind(client).run());
    (void)changed;
    return {};
}

}  // namespace mitral::cloud::hub
