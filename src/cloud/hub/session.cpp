#include "cloud/hub/session.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "base/log.hpp"
#include "cloud/error.hpp"
#include "cloud/hub/service.hpp"

namespace mitral::cloud::hub {
namespace {

// Filters that belong to no family yet; they are granted and nothing is sent.
constexpr std::array<std::string_view, 1> idle_filters{"$iothub/credentials/res/#"};

std::string client_id_of(const DeviceIdentity& identity) {
    return identity.module.empty() ? identity.device.id
                                   : identity.device.id + "/" + identity.module;
}

}  // namespace

Session::Session(Service& service, mqtt::Channel& channel, DeviceIdentity identity,
                 Telemetry telemetry, SessionStore* store, std::optional<Will> will)
    : service_(service),
      channel_(channel),
      identity_(std::move(identity)),
      client_id_(client_id_of(identity_)),
      telemetry_(std::move(telemetry)),
      store_(store),
      will_(std::move(will)) {}

// However it ends: the service and the families hold a pointer to a live session only.
Session::~Session() {
    leave();
}

base::Status Session::on_publish(const mqtt::Publish& publish) {
    if (publish.topic.starts_with("$iothub/"))
        return on_service_topic(publish);
    MITRAL_CHECK(telemetry_.accept(publish));
    service_.count_message(publish.payload.size());
    return {};
}

base::Status Session::on_service_topic(const mqtt::Publish& publish) {
    if (left_)
        return base::fail(CloudError::protocol_violation, "another connection took over");
    for (auto* family : service_.families())
        if (family->owns_topic(publish.topic))
            return family->on_publish(*this, publish);
    return base::fail(CloudError::protocol_violation, "topic is not supported");
}

bool Session::may_subscribe(std::string_view filter) const {
    for (const auto* family : service_.families())
        if (family->owns_filter(identity_, filter))
            return true;
    if (std::find(idle_filters.begin(), idle_filters.end(), filter) != idle_filters.end())
        return true;
    if (identity_.module.empty())
        return false;
    const auto own = "devices/" + identity_.device.id + "/modules/" + identity_.module;
    return filter == own + "/#" || filter == own + "/inputs/#";
}

base::Result<std::uint8_t> Session::on_subscribe(const mqtt::Subscription& wanted) {
    // The documentation says that the connection is closed; the exact form is unverified.
    if (!may_subscribe(wanted.filter) && service_.observed().refuses_filters)
        return mqtt::refused_filter;
    if (!may_subscribe(wanted.filter))
        return base::fail(CloudError::protocol_violation,
                          "subscription outside the allowed filters");
    const auto granted = std::min<std::uint8_t>(wanted.qos, 1);
    if (store_ != nullptr)
        MITRAL_CHECK(store_->add(client_id_, wanted.filter, granted));
    filters_.emplace(wanted.filter);
    return granted;
}

void Session::on_unsubscribe(std::string_view filter) {
    if (const auto found = filters_.find(filter); found != filters_.end())
        filters_.erase(found);
    if (store_ != nullptr)
        if (const auto removed = store_->remove(client_id_, filter); !removed)
            base::log(base::Severity::error, "session-not-stored",
                      {{"cause", removed.error().message()}});
}

void Session::on_ready() {
    if (left_)
        return;
    for (auto* family : service_.families())
        family->on_ready(*this);
}

void Session::on_acknowledged(std::uint16_t packet_id) {
    if (left_)
        return;
    for (auto* family : service_.families())
        family->on_acknowledged(*this, packet_id);
}

void Session::on_end(bool said_goodbye) {
    if (!said_goodbye && will_) {
        const mqtt::Publish last{
            .topic = will_->topic, .payload = will_->message, .qos = will_->qos};
        if (const auto sent = telemetry_.accept_will(last); !sent)
            base::log(base::Severity::warning, "will-not-stored",
                      {{"cause", sent.error().message()}});
    }
    leave();
}

void Session::leave() {
    if (std::exchange(left_, true))
        return;
    for (auto* family : service_.families())
        family->on_end(*this);
    service_.forget(*this);
}

}  // namespace mitral::cloud::hub
