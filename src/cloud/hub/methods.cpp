#include "cloud/hub/methods.hpp"

#include <charconv>
#include <vector>

#include "azure/text.hpp"
#include "cloud/error.hpp"

namespace mitral::cloud::hub {
namespace {

constexpr std::string_view call_filter = "$iothub/methods/POST/#";
constexpr std::string_view answer_head = "$iothub/methods/res/";
constexpr std::string_view request_mark = "/?$rid=";

template <typename Number>
std::optional<Number> number(std::string_view text) {
    Number value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || text.empty())
        return std::nullopt;
    return value;
}

}  // namespace

std::optional<MethodResponseTopic> parse_method_response(std::string_view topic) {
    if (!topic.starts_with(answer_head))
        return std::nullopt;
    topic.remove_prefix(answer_head.size());
    const auto mark = topic.find(request_mark);
    if (mark == std::string_view::npos)
        return std::nullopt;
    const auto request = topic.substr(mark + request_mark.size());
    const auto status = number<int>(topic.substr(0, mark));
    const auto id = number<std::uint64_t>(request.substr(0, request.find('&')));
    if (!status || !id)
        return std::nullopt;
    return MethodResponseTopic{*status, *id};
}

MethodChannel::~MethodChannel() {
    for (const auto& [request, pending] : calls_)
        loop_.cancel(pending.timer);
}

void MethodChannel::invoke(MethodCall call, MethodDone done) {
    if (calls_.size() >= max_method_calls)
        return give(done, base::fail(CloudError::throttled, "too many method calls in flight"));
    const auto listener = listeners_.find(call.client_id);
    if (listener == listeners_.end() && call.connect_timeout <= base::Seconds(0))
        return give(done, base::fail(CloudError::not_online, call.client_id));
    const auto request = next_request_++;
    auto& pending = calls_[request];
    pending.call = std::move(call);
    pending.done = std::move(done);
    if (listener != listeners_.end())
        return send(request, pending, *listener->second);
    pending.timer = loop_.after(pending.call.connect_timeout, [this, request] {
        finish(request, base::fail(CloudError::not_online, "it did not come in time"));
    });
}

void MethodChannel::send(std::uint64_t request, Pending& pending, Endpoint& to) {
    pending.sent = true;
    loop_.cancel(pending.timer);
    pending.timer = loop_.after(pending.call.response_timeout, [this, request] {
        finish(request, base::fail(CloudError::timed_out, "no answer in time"));
    });
    const auto payload = std::exchange(pending.call.payload, {});
    to.channel().publish("$iothub/methods/POST/" + azure::percent_encode(pending.call.name) +
                             "/?$rid=" + std::to_string(request),
                         base::as_bytes(payload));
}

void MethodChannel::finish(std::uint64_t request, base::Result<MethodAnswer> result) {
    auto call = calls_.extract(request);
    if (call.empty())
        return;
    loop_.cancel(call.mapped().timer);
    give(call.mapped().done, std::move(result));
}

void MethodChannel::give(const MethodDone& done, base::Result<MethodAnswer> result) {
    if (result)
        ++counters_.answered;
    else if (result.error().code == CloudError::not_online)
        ++counters_.not_online;
    else if (result.error().code == CloudError::timed_out)
        ++counters_.timed_out;
    else
        ++counters_.refused;
    done(std::move(result));
}

bool MethodChannel::owns_filter(const DeviceIdentity&, std::string_view filter) const {
    return filter == call_filter;
}

bool MethodChannel::owns_topic(std::string_view topic) const {
    return topic.starts_with(answer_head);
}

base::Status MethodChannel::on_publish(Endpoint& from, const mqtt::Publish& publish) {
    const auto topic = parse_method_response(publish.topic);
    if (!topic)
        return base::fail(CloudError::protocol_violation, "answer to no method");
    // Too late, or to somebody else's call: nobody waits for it.
    const auto call = calls_.find(topic->request);
    if (call == calls_.end() || !call->second.sent ||
        call->second.call.client_id != from.client_id())
        return {};
    if (publish.payload.size() > max_method_payload)
        finish(topic->request, base::fail(CloudError::too_large, "answer above 128 KiB"));
    else
        finish(topic->request,
               MethodAnswer{topic->status, std::string(base::as_text(publish.payload))});
    return {};
}

void MethodChannel::on_ready(Endpoint& to) {
    if (!to.subscribed(call_filter)) {
        on_end(to);
        return;
    }
    if (!listeners_.insert_or_assign(to.client_id(), &to).second)
        return;
    for (auto& [request, pending] : calls_)
        if (!pending.sent && pending.call.client_id == to.client_id())
            send(request, pending, to);
}

void MethodChannel::on_end(Endpoint& gone) {
    const auto found = listeners_.find(gone.client_id());
    if (found != listeners_.end() && found->second == &gone)
        listeners_.erase(found);
}

}  // namespace mitral::cloud::hub
