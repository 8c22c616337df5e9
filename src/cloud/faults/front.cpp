#include "cloud/faults/front.hpp"

#include <algorithm>

#include "azure/dps.hpp"
#include "azure/text.hpp"
#include "azure/topics.hpp"
#include "base/log.hpp"
#include "cloud/error.hpp"

namespace mitral::cloud::faults {
namespace {

using base::Milliseconds;

// A device's connection to the hub, for as long as no fault strikes it.
class Session final : public mqtt::Session {
  public:
    Session(Front& front, std::unique_ptr<mqtt::Session> inner)
        : front_(front), inner_(std::move(inner)) {}

    base::Status on_publish(const mqtt::Publish& publish) override {
        auto& faults = front_.faults();
        if (faults.strike(Fault::daily_quota))
            return base::fail(CloudError::throttled, "fault: daily quota used up");
        delay_ = Milliseconds(0);
        if (loses(publish, "message")) {
            delay_.reset();
            return {};
        }
        if (const auto* order = faults.in_force(Fault::throttle_telemetry)) {
            MITRAL_TRY(delay_, front_.wait_for_room(*order));
        }
        MITRAL_CHECK(inner_->on_publish(publish));
        if (publish.qos == 1)
            if (const auto order = faults.strike(Fault::slow_puback))
                delay_ = std::max(*delay_, Milliseconds(order->number("delay_ms")));
        if (publish.qos == 1 && loses(publish, "puback"))
            delay_.reset();
        return {};
    }
    std::optional<Milliseconds> acknowledgement_delay() const override { return delay_; }
    base::Result<std::uint8_t> on_subscribe(const mqtt::Subscription& wanted) override {
        return inner_->on_subscribe(wanted);
    }
    void on_unsubscribe(std::string_view filter) override { inner_->on_unsubscribe(filter); }
    void on_ready() override { inner_->on_ready(); }
    void on_acknowledged(std::uint16_t packet_id) override { inner_->on_acknowledged(packet_id); }
    void on_end(bool said_goodbye) override { inner_->on_end(said_goodbye); }

  private:
    bool loses(const mqtt::Publish& publish, std::string_view what) {
        const auto* order = front_.faults().in_force(Fault::loss);
        return order != nullptr && order->text("of") == what &&
               publish.topic.starts_with("devices/") &&
               front_.faults().strike_by_chance(Fault::loss);
    }

    Front& front_;
    std::unique_ptr<mqtt::Session> inner_;
    std::optional<Milliseconds> delay_{0};  // none: never
};

}  // namespace

mqtt::Admission Front::admit(const mqtt::Connect& connect, mqtt::Channel& channel) {
    if (const auto code = refusal(connect)) {
        base::log(base::Severity::notice, "connect-refused-by-fault",
                  {{"client", azure::shown(connect.client_id)},
                   {"code", static_cast<std::int64_t>(*code)}});
        return {.code = *code};
    }
    auto admission = services_.admit(connect, channel);
    if (admission.session && !azure::is_dps_username(connect.user_name))
        admission.session = std::make_unique<Session>(*this, std::move(admission.session));
    return admission;
}

std::optional<mqtt::ConnectCode> Front::refusal(const mqtt::Connect& connect) {
    if (azure::is_dps_username(connect.user_name)) {
        if (faults_.strike(Fault::dps_unreachable))
            return mqtt::ConnectCode::server_unavailable;
        return std::nullopt;
    }
    if (faults_.strike(Fault::throttle_connects))
        return mqtt::ConnectCode::server_unavailable;
    const auto user = azure::parse_hub_username(connect.user_name);
    if (faults_.expires_tokens_of(user ? std::string_view(user->device) : connect.client_id))
        return mqtt::ConnectCode::not_authorised;
    if (user && !faults_.lives_at(user->device, user->host)) {
        (void)faults_.strike(Fault::hub_failover);
        return mqtt::ConnectCode::not_authorised;
    }
    return std::nullopt;
}

base::Result<Milliseconds> Front::wait_for_room(const Order& order) {
    const Milliseconds longest(order.number("queue_ms"));
    const auto interval_ns = 1'000'000'000 / order.number("per_second");
    const auto now = clock_.monotonic();
    const auto room = std::max(next_room_, now);
    const auto wait = room - now;
    if (wait > Milliseconds(0))
        (void)faults_.strike(Fault::throttle_telemetry);  // may end the order
    if (wait > longest)
        return base::fail(CloudError::throttled, "fault: throttled");
    next_room_ = {room.ns + interval_ns};
    return wait;
}

}  // namespace mitral::cloud::faults
