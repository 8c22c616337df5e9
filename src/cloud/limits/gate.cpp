#include "cloud/limits/gate.hpp"

#include "azure/dps.hpp"
#include "azure/text.hpp"
#include "base/log.hpp"
#include "cloud/error.hpp"

namespace mitral::cloud::limits {
namespace {

class Session final : public mqtt::Session {
  public:
    Session(Limits& limits, std::unique_ptr<mqtt::Session> inner)
        : limits_(limits), inner_(std::move(inner)) {}

    base::Status on_publish(const mqtt::Publish& publish) override {
        wait_ = base::Milliseconds(0);
        if (publish.topic.starts_with("devices/"))
            MITRAL_CHECK(admit(publish));
        return inner_->on_publish(publish);
    }
    std::optional<base::Milliseconds> acknowledgement_delay() const override {
        const auto delay = inner_->acknowledgement_delay();
        return delay ? std::optional(std::max(*delay, wait_)) : std::nullopt;
    }
    base::Result<std::uint8_t> on_subscribe(const mqtt::Subscription& wanted) override {
        return inner_->on_subscribe(wanted);
    }
    void on_unsubscribe(std::string_view filter) override { inner_->on_unsubscribe(filter); }
    void on_ready() override { inner_->on_ready(); }
    void on_acknowledged(std::uint16_t packet_id) override { inner_->on_acknowledged(packet_id); }
    void on_end(bool said_goodbye) override { inner_->on_end(said_goodbye); }

  private:
    base::Status admit(const mqtt::Publish& publish) {
        const auto wait = limits_.take(Limit::sends);
        if (!wait)
            return base::fail(CloudError::throttled, "too many messages a second for this tier");
        if (!limits_.take_message(publish.payload.size()))
            return base::fail(CloudError::throttled, "daily quota used up");
        wait_ = *wait;
        return {};
    }

    Limits& limits_;
    std::unique_ptr<mqtt::Session> inner_;
    base::Milliseconds wait_{0};
};

}  // namespace

mqtt::Admission Gate::admit(const mqtt::Connect& connect, mqtt::Channel& channel) {
    if (azure::is_dps_username(connect.user_name))
        return services_.admit(connect, channel);
    if (!limits_.take(Limit::connects)) {
        base::log(base::Severity::notice, "connect-throttled",
                  {{"client", azure::shown(connect.client_id)}});
        return {.code = mqtt::ConnectCode::server_unavailable};
    }
    auto admission = services_.admit(connect, channel);
    if (admission.session)
        admission.session = std::make_unique<Session>(limits_, std::move(admission.session));
    return admission;
}

}  // namespace mitral::cloud::limits
