// Nodes that answer requests: a peer sends to the node on one link and receives the answers on
// another, which it attached before ("$cbs", "$management").
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "cloud/amqp/attachment.hpp"
#include "cloud/amqp/connection.hpp"

namespace mitral::cloud::amqp {

class ReplyLink;

// The reply links of one connection, by the node they belong to.
class ReplyLinks {
  public:
    void add(const std::string& node, ReplyLink& link) { links_.emplace(node, &link); }
    void remove(const ReplyLink& link);
    // The one that the request names, or else the newest of the node.
    [[nodiscard]] ReplyLink* find(const std::string& node, const std::string& reply_to) const;

  private:
    std::multimap<std::string, ReplyLink*> links_;
};

class ReplyLink final : public Attachment {
  public:
    static constexpr std::size_t max_waiting = 64;

    ReplyLink(ReplyLinks& links, const std::string& node, const LinkEnd& end);
    ~ReplyLink() override;
    [[nodiscard]] bool pump() override;

    [[nodiscard]] bool full() const noexcept { return waiting_.size() >= max_waiting; }
    [[nodiscard]] bool answers_to(const std::string& reply_to) const;
    void send(const Message& answer);

  private:
    ReplyLinks& links_;
    LinkEnd end_;
    std::string target_;
    std::string name_;
    std::deque<base::Bytes> waiting_;
    std::uint64_t sent_ = 0;
};

// An answer, or nothing yet: then the request is asked again at the next turn.
using Answerer = std::function<std::optional<Message>(const Message& request)>;

class RequestLink final : public Attachment {
  public:
    RequestLink(ReplyLinks& links, std::string node, Answerer answerer)
        : links_(links), node_(std::move(node)), answerer_(std::move(answerer)) {}
    [[nodiscard]] std::expected<void, Refusal> on_message(const Message& message) override;
    [[nodiscard]] bool pump() override;

  private:
    ReplyLinks& links_;
    std::string node_;
    Answerer answerer_;
    std::deque<Message> waiting_;
};

// status-code and status-description, as CBS and the management of Event Hubs write them.
[[nodiscard]] Message answer_with(std::int32_t status, std::string_view description);

}  // namespace mitral::cloud::amqp
