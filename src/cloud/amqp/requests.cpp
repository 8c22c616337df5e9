#include "cloud/amqp/requests.hpp"

#include <algorithm>

namespace mitral::cloud::amqp {
namespace {

constexpr std::size_t longest_id = 512;
constexpr std::size_t queue_limit = 64 * 1024;  // unsent bytes of a session

}  // namespace

void ReplyLinks::remove(const ReplyLink& link) {
    std::erase_if(links_, [&](const auto& entry) { return entry.second == &link; });
}

ReplyLink* ReplyLinks::find(const std::string& node, const std::string& reply_to) const {
    ReplyLink* newest = nullptr;
    const auto [first, last] = links_.equal_range(node);
    for (auto at = first; at != last; ++at) {
        newest = at->second;
        if (newest->answers_to(reply_to))
            return newest;
    }
    return newest;
}

ReplyLink::ReplyLink(ReplyLinks& links, const std::string& node, const LinkEnd& end)
    : links_(links), end_(end), target_(end.target()), name_(end.name()) {
    links_.add(node, *this);
}

ReplyLink::~ReplyLink() {
    links_.remove(*this);
}

bool ReplyLink::answers_to(const std::string& reply_to) const {
    return !reply_to.empty() && (reply_to == target_ || reply_to == name_);
}

void ReplyLink::send(const Message& answer) {
    if (auto bytes = encode_message(answer))
        waiting_.push_back(*std::move(bytes));
}

bool ReplyLink::pump() {
    while (!waiting_.empty() && end_.credit() > 0 && end_.queued() < queue_limit) {
        end_.send(waiting_.front(), ++sent_, true);
        waiting_.pop_front();
    }
    if (waiting_.empty() && end_.draining())
        end_.drained();
    return false;
}

std::expected<void, Refusal> RequestLink::on_message(const Message& message) {
    const auto* to = links_.find(node_, message.reply_to);
    if (to == nullptr)
        return std::unexpected(Refusal{"amqp:not-allowed", "attach a link for the answers first"});
    // The answer carries both, and waits in memory.
    if (text_of(message.id).size() > longest_id || message.reply_to.size() > longest_id)
        return std::unexpected(Refusal{"amqp:invalid-field", "the message id is too long"});
    if (to->full() || waiting_.size() >= ReplyLink::max_waiting)
        return std::unexpected(Refusal{"amqp:resource-limit-exceeded", "answers pile up"});
    waiting_.push_back(message);
    return {};
}

bool RequestLink::pump() {
    while (!waiting_.empty()) {
        const auto& request = waiting_.front();
        auto answer = answerer_(request);
        if (!answer)
            return true;
        answer->correlation_id = request.id;
        answer->to = request.reply_to;
        if (auto* to = links_.find(node_, request.reply_to); to != nullptr && !to->full())
            to->send(*answer);
        waiting_.pop_front();
    }
    return false;
}

Message answer_with(std::int32_t status, std::string_view description) {
    Message answer;
    answer.properties = {{"status-code", status}, {"status-description", std::string(description)}};
    answer.body = std::string();
    return answer;
}

}  // namespace mitral::cloud::amqp
