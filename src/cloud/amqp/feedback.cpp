#include "cloud/amqp/feedback.hpp"

#include <utility>

#include "base/log.hpp"
#include "cloud/json.hpp"

namespace mitral::cloud::amqp {
namespace {

constexpr base::Milliseconds expiry_check{1'000};  // what expires calls nobody

}  // namespace

FeedbackStation::FeedbackStation(hub::DeviceboundQueue& queue, std::string hub_name,
                                 const base::Clock& clock)
    : queue_(queue), hub_name_(std::move(hub_name)), clock_(clock) {
    queue_.on_feedback([this] { wake_all(); });
}

void FeedbackStation::wake_all() {
    for (auto* peer : std::exchange(waiting_, {}))
        peer->wake_after(base::Milliseconds(0));
}

base::Result<std::optional<Message>> FeedbackStation::take(FeedbackReceiver& receiver) {
    if (holder_ != nullptr && clock_.monotonic() < lock_end_)
        return std::nullopt;
    MITRAL_TRY(const auto completed, queue_.completed_feedback());
    MITRAL_TRY(const auto records, queue_.feedback(completed + 1, batch));
    if (records.empty())
        return std::nullopt;
    holder_ = &receiver;
    lock_end_ = clock_.monotonic() + lock_time;
    last_ = records.back().sequence;
    return to_message(records, hub_name_);
}

bool FeedbackStation::holds(const FeedbackReceiver& receiver) const {
    return holder_ == &receiver && clock_.monotonic() < lock_end_;
}

void FeedbackStation::settle(FeedbackReceiver& receiver, Outcome outcome) {
    if (holder_ != &receiver)
        return;
    holder_ = nullptr;
    if (outcome == Outcome::accepted || outcome == Outcome::rejected)
        if (const auto done = queue_.complete_feedback(last_); !done)
            base::log(base::Severity::error, "feedback-not-completed",
                      {{"cause", done.error().message()}});
    wake_all();
}

FeedbackReceiver::~FeedbackReceiver() {
    station_.forget(peer_);
    station_.settle(*this, Outcome::released);
}

bool FeedbackReceiver::pump() {
    if (station_.holds(*this)) {
        if (end_.draining())
            end_.drained();
        peer_.wake_after(expiry_check);
        return false;
    }
    if (end_.credit() <= 0)
        return false;
    const auto message = station_.take(*this);
    if (!message) {
        base::log(base::Severity::error, "feedback-not-read",
                  {{"cause", message.error().message()}});
        end_.close({"amqp:internal-error", "feedback cannot be read"});
        return false;
    }
    if (!*message) {
        if (end_.draining())
            end_.drained();
        station_.wait(peer_);
        peer_.wake_after(expiry_check);
        return false;
    }
    const auto bytes = encode_message(**message);
    if (!bytes) {
        station_.settle(*this, Outcome::released);
        end_.close({"amqp:internal-error", "feedback cannot be written"});
        return false;
    }
    end_.send(*bytes, ++sent_, end_.wants_settled());
    if (end_.wants_settled())
        station_.settle(*this, Outcome::accepted);
    else
        peer_.wake_after(expiry_check);
    return false;
}

void FeedbackReceiver::on_outcome(std::uint64_t tag, Outcome outcome) {
    if (tag == sent_)  // of an older one the lock is over
        station_.settle(*this, outcome);
}

Message to_message(const std::vector<hub::FeedbackRecord>& records, const std::string& hub_name) {
    auto list = Json::array();
    for (const auto& record : records)
        list.push_back({{"originalMessageId", record.message_id},
                        {"description", record.outcome},
                        {"deviceGenerationId", record.generation},
                        {"deviceId", record.device},
                        {"enqueuedTimeUtc", base::to_iso8601(record.at)},
                        {"statusCode", record.outcome}});
    Message message;
    message.user_id = hub_name;
    message.content_type = "application/vnd.microsoft.iothub.feedback.json";
    message.body = Binary{dump(list)};
    return message;
}

}  // namespace mitral::cloud::amqp
