#include "cloud/metrics/meter.hpp"

namespace mitral::cloud::metrics {
namespace {

constexpr std::string_view twin = "$iothub/twin/";

Inbound inbound_kind(std::string_view topic) {
    if (topic.starts_with("devices/"))
        return Inbound::telemetry;
    if (topic.starts_with("$iothub/methods/"))
        return Inbound::method_answer;
    if (!topic.starts_with(twin))
        return Inbound::provisioning;
    return topic.substr(twin.size()).starts_with("GET/") ? Inbound::twin_get : Inbound::twin_report;
}

Outbound outbound_kind(std::string_view topic) {
    if (topic.starts_with("devices/"))
        return Outbound::devicebound;
    if (topic.starts_with("$iothub/methods/"))
        return Outbound::method;
    if (!topic.starts_with(twin))
        return Outbound::provisioning;
    return topic.substr(twin.size()).starts_with("res/") ? Outbound::twin_answer
                                                         : Outbound::desired;
}

void add(Traffic::Flow& flow, std::size_t bytes) {
    ++flow.messages;
    flow.bytes += bytes;
}

class MeteredChannel final : public mqtt::Channel {
  public:
    MeteredChannel(mqtt::Channel& channel, Traffic& traffic)
        : channel_(channel), traffic_(traffic) {}
    void publish(std::string_view topic, base::ByteView payload) override {
        count(topic, payload);
        channel_.publish(topic, payload);
    }
    void publish_acknowledged(std::string_view topic, base::ByteView payload,
                              mqtt::Delivery delivery) override {
        count(topic, payload);
        channel_.publish_acknowledged(topic, payload, delivery);
    }
    void close(std::string_view reason) override { channel_.close(reason); }
    [[nodiscard]] net::CertificateChain certificates() const override {
        return channel_.certificates();
    }

  private:
    void count(std::string_view topic, base::ByteView payload) {
        add(traffic_.out[static_cast<std::size_t>(outbound_kind(topic))], payload.size());
    }
    mqtt::Channel& channel_;
    Traffic& traffic_;
};

class MeteredSession final : public mqtt::Session {
  public:
    MeteredSession(std::unique_ptr<MeteredChannel> channel, std::unique_ptr<mqtt::Session> inner,
                   Traffic& traffic)
        : channel_(std::move(channel)), inner_(std::move(inner)), traffic_(traffic) {
        ++traffic_.open;
    }
    MeteredSession(const MeteredSession&) = delete;
    MeteredSession& operator=(const MeteredSession&) = delete;
    ~MeteredSession() override { --traffic_.open; }

    base::Status on_publish(const mqtt::Publish& publish) override {
        MITRAL_CHECK(inner_->on_publish(publish));
        add(traffic_.in[static_cast<std::size_t>(inbound_kind(publish.topic))],
            publish.payload.size());
        return {};
    }
    std::optional<base::Milliseconds> acknowledgement_delay() const override {
        return inner_->acknowledgement_delay();
    }
    base::Result<std::uint8_t> on_subscribe(const mqtt::Subscription& wanted) override {
        return inner_->on_subscribe(wanted);
    }
    void on_unsubscribe(std::string_view filter) override { inner_->on_unsubscribe(filter); }
    void on_ready() override { inner_->on_ready(); }
    void on_acknowledged(std::uint16_t packet_id) override { inner_->on_acknowledged(packet_id); }
    void on_end(bool said_goodbye) override { inner_->on_end(said_goodbye); }

  private:
    std::unique_ptr<MeteredChannel> channel_;  // outlives the session that uses it
    std::unique_ptr<mqtt::Session> inner_;
    Traffic& traffic_;
};

}  // namespace

mqtt::Admission Meter::admit(const mqtt::Connect& connect, mqtt::Channel& channel) {
    auto metered = std::make_unique<MeteredChannel>(channel, traffic_);
    auto admission = service_.admit(connect, *metered);
    if (admission.session)
        admission.session = std::make_unique<MeteredSession>(
            std::move(metered), std::move(admission.session), traffic_);
    return admission;
}

}  // namespace mitral::cloud::metrics
