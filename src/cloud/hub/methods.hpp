// Direct methods: a question to a connected device, and its answer.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>

#include "base/event_loop.hpp"
#include "cloud/hub/topic_family.hpp"

namespace mitral::cloud::hub {

inline constexpr std::size_t max_method_payload = 128 * 1024;  // bytes, each way
inline constexpr std::size_t max_method_name = 256;
inline constexpr std::size_t max_method_calls = 1'000;  // in flight, of the whole hub

struct MethodCall {
    std::string client_id;  // "device" or "device/module"
    std::string name;
    std::string payload{};               // JSON text, ≤ max_method_payload
    base::Seconds connect_timeout{0};    // how long to wait for the client to come
    base::Seconds response_timeout{30};  // from when the call was sent
};

struct MethodAnswer {
    int status = 0;  // the device's own
    std::string payload;
};
// Called once. Errors: not_online, timed_out, throttled (max_method_calls), too_large (the answer).
using MethodDone = std::function<void(base::Result<MethodAnswer>)>;

// "$iothub/methods/res/{status}/?$rid={r}"; nullopt when it is something else.
struct MethodResponseTopic {
    int status = 0;
    std::uint64_t request = 0;
};
[[nodiscard]] std::optional<MethodResponseTopic> parse_method_response(std::string_view topic);

class MethodChannel final : public TopicFamily {
  public:
    explicit MethodChannel(base::EventLoop& loop) : loop_(loop) {}
    MethodChannel(const MethodChannel&) = delete;
    MethodChannel& operator=(const MethodChannel&) = delete;
    ~MethodChannel() override;

    // A call that was sent may be answered on a later connection of the same client.
    void invoke(MethodCall call, MethodDone done);
    struct Counters {
        std::uint64_t answered = 0;
        std::uint64_t not_online = 0;
        std::uint64_t timed_out = 0;
        std::uint64_t refused = 0;  // too many in flight, or an answer that is too large
    };
    [[nodiscard]] const Counters& counters() const noexcept { return counters_; }
    [[nodiscard]] std::size_t in_flight() const noexcept { return calls_.size(); }

    [[nodiscard]] bool owns_filter(const DeviceIdentity& identity,
                                   std::string_view filter) const override;
    [[nodiscard]] bool owns_topic(std::string_view topic) const override;
    [[nodiscard]] base::Status on_publish(Endpoint& from, const mqtt::Publish& publish) override;
    void on_ready(Endpoint& to) override;
    void on_end(Endpoint& gone) override;

  private:
    struct Pending {
        MethodCall call;
        MethodDone done;
        bool sent = false;
        base::EventLoop::TimerId timer{};
    };
    void send(std::uint64_t request, Pending& pending, Endpoint& to);
    void finish(std::uint64_t request, base::Result<MethodAnswer> result);
    void give(const MethodDone& done, base::Result<MethodAnswer> result);

    base::EventLoop& loop_;
    std::unordered_map<std::string, Endpoint*> listeners_;  // subscribed, by client id
    std::map<std::uint64_t, Pending> calls_;                // by request id
    std::uint64_t next_request_ = 1;
    Counters counters_;
};

}  // namespace mitral::cloud::hub
