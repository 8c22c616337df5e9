#include "cloud/hub/session.hpp"

#include <algorithm>
#include <array>

#include "base/log.hpp"
#include "cloud/error.hpp"
#include "cloud/hub/service.hpp"

namespace mitral::cloud::hub {
namespace {

constexpr std::string_view twin_answer_filter = "$iothub/twin/res/#";
constexpr std::string_view twin_get = "$iothub/twin/GET/?";
constexpr std::string_view twin_report = "$iothub/twin/PATCH/properties/reported/?";
constexpr std::string_view empty_twin = R"({"desired":{"$version":1},"reported":{"$version":1}})";
constexpr std::string_view no_twin =
    R"({"errorCode":501001,"message":"reported properties are not supported"})";

constexpr std::array<std::string_view, 4> service_filters{
    "$iothub/methods/POST/#", twin_answer_filter, "$iothub/twin/PATCH/properties/desired/#",
    "$iothub/credentials/res/#"};

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

// However it ends: the service holds a pointer to a live session only.
Session::~Session() {
    service_.forget(*this);
}

base::Status Session::on_publish(const mqtt::Publish& publish) {
    if (publish.topic.starts_with("$iothub/"))
        return on_service_topic(publish);
    MITRAL_CHECK(telemetry_.accept(publish));
    service_.count_message(publish.payload.size());
    return {};
}

base::Status Session::on_service_topic(const mqtt::Publish& publish) {
    if (publish.topic.starts_with(twin_get))
        return answer_twin(publish.topic.substr(twin_get.size()), 200, empty_twin);
    if (publish.topic.starts_with(twin_report))
        return answer_twin(publish.topic.substr(twin_report.size()), 501, no_twin);
    return base::fail(CloudError::protocol_violation, "topic is not supported");
}

base::Status Session::answer_twin(std::string_view request, int status, std::string_view body) {
    constexpr std::size_t max_request = 512;
    if (request.size() > max_request)
        return base::fail(CloudError::too_large, "request id of a twin operation");
    // Without the subscription the answer has nowhere to go, as in IoT Hub.
    if (filters_.contains(twin_answer_filter))
        channel_.publish("$iothub/twin/res/" + std::to_string(status) + "/?" + std::string(request),
                         base::as_bytes(body));
    return {};
}

bool Session::may_subscribe(std::string_view filter) const {
    const auto& device = identity_.device.id;
    const auto& module = identity_.module;
    if (std::find(service_filters.begin(), service_filters.end(), filter) != service_filters.end())
        return true;
    if (module.empty())
        return filter == "devices/" + device + "/messages/devicebound/#";
    const auto own = "devices/" + device + "/modules/" + module;
    return filter == own + "/#" || filter == own + "/inputs/#";
}

base::Result<std::uint8_t> Session::on_subscribe(const mqtt::Subscription& wanted) {
    // The documentation says that the connection is closed; the exact form is unverified.
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
    if (store_ == nullptr)
        return;
    if (const auto removed = store_->remove(client_id_, filter); !removed)
        base::log(base::Severity::error, "session-not-stored",
                  {{"cause", removed.error().message()}});
}

void Session::on_end(bool said_goodbye) {
    if (!said_goodbye && will_) {
        const mqtt::Publish last{
            .topic = will_->topic, .payload = will_->message, .qos = will_->qos};
        if (const auto sent = telemetry_.accept_will(last); !sent)
            base::log(base::Severity::warning, "will-not-stored",
                      {{"cause", sent.error().message()}});
    }
    service_.forget(*this);
}

}  // namespace mitral::cloud::hub
