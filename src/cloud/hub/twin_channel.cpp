#include "cloud/hub/twin_channel.hpp"

#include <algorithm>

#include "azure/dps.hpp"
#include "base/log.hpp"
#include "cloud/error.hpp"
#include "cloud/store/ids.hpp"

namespace mitral::cloud::hub {
namespace {

constexpr std::string_view answer_filter = "$iothub/twin/res/#";
constexpr std::string_view desired_filter = "$iothub/twin/PATCH/properties/desired/#";
constexpr std::string_view get_topic = "$iothub/twin/GET/?";
constexpr std::string_view report_topic = "$iothub/twin/PATCH/properties/reported/?";
constexpr std::size_t max_request_id = 512;

TwinName name_of(const Endpoint& endpoint) {
    return {endpoint.identity().device.id, endpoint.identity().module};
}

// The value of $rid as it was sent, wherever it stands; empty without one.
std::string_view request_id(std::string_view query) {
    constexpr std::string_view name = "$rid=";
    while (!query.empty()) {
        const auto pair = query.substr(0, query.find('&'));
        if (pair.starts_with(name))
            return pair.substr(name.size());
        query.remove_prefix(std::min(query.size(), pair.size() + 1));
    }
    return {};
}

// The C SDK wants "?$rid=" first.
void answer(Endpoint& to, int status, std::string_view request, std::string_view body) {
    if (to.subscribed(answer_filter))
        to.channel().publish(
            "$iothub/twin/res/" + std::to_string(status) + "/?$rid=" + std::string(request),
            base::as_bytes(body));
}

}  // namespace

bool TwinChannel::owns_filter(const DeviceIdentity&, std::string_view filter) const {
    return filter == answer_filter || filter == desired_filter;
}

bool TwinChannel::owns_topic(std::string_view topic) const {
    return topic.starts_with("$iothub/twin/");
}

base::Status TwinChannel::on_publish(Endpoint& from, const mqtt::Publish& publish) {
    const bool is_get = publish.topic.starts_with(get_topic);
    if (!is_get && !publish.topic.starts_with(report_topic))
        return base::fail(CloudError::protocol_violation, "topic is not supported");
    const auto request =
        request_id(publish.topic.substr(is_get ? get_topic.size() : report_topic.size()));
    if (request.size() > max_request_id)
        return base::fail(CloudError::too_large, "request id of a twin operation");
    if (gate_ && !gate_(is_get))
        refuse(from, request, {CloudError::throttled, "too many twin operations"});
    else if (is_get)
        get(from, request);
    else
        report(from, request, base::as_text(publish.payload));
    return {};
}

void TwinChannel::on_ready(Endpoint& to) {
    const auto& model = to.identity().model;
    if (model.empty())
        return;
    if (const auto noted = twins_.note_model(name_of(to), model); !noted)
        base::log(base::Severity::error, "twin-not-stored", {{"cause", noted.error().message()}});
}

void TwinChannel::get(Endpoint& from, std::string_view request) {
    const auto twin = twins_.find(name_of(from));
    if (!twin)
        return refuse(from, request, twin.error());
    answer(from, 200, request,
           R"({"desired":)" + with_version(twin->desired.values, twin->desired.version) +
               R"(,"reported":)" + with_version(twin->reported.values, twin->reported.version) +
               "}");
}

void TwinChannel::report(Endpoint& from, std::string_view request, std::string_view patch) {
    const auto version = twins_.report(name_of(from), patch);
    if (!version)
        return refuse(from, request, version.error());
    answer(from, 204, std::string(request) + "&$version=" + std::to_string(*version), {});
}

void TwinChannel::push_desired(Endpoint& to, const TwinUpdate& update) {
    if (update.pushed.empty() || !to.subscribed(desired_filter))
        return;
    const auto version = update.twin.desired.version;
    const auto body = with_version(update.pushed, version);
    to.channel().publish(
        "$iothub/twin/PATCH/properties/desired/?$version=" + std::to_string(version),
        base::as_bytes(body));
}

void TwinChannel::refuse(Endpoint& from, std::string_view request, const base::Error& error) {
    const bool ours = error.code == CloudError::storage;
    const bool gone = error.code == CloudError::not_found;
    base::log(ours ? base::Severity::error : base::Severity::info, "twin-operation-refused",
              {{"client", from.client_id()}, {"cause", error.message()}});
    const bool much = error.code == CloudError::throttled;
    const int status = ours ? 500 : gone ? 404 : much ? 429 : 400;
    const azure::ServiceError body{.code = ours   ? 500001
                                           : gone ? 404001
                                           : much ? 429001
                                                  : 400011,
                                   .tracking_id = store::new_tracking_id(),
                                   .message = ours ? "storage failed" : error.context,
                                   .timestamp = base::to_iso8601(twins_.now())};
    answer(from, status, request, azure::service_error_json(body));
}

}  // namespace mitral::cloud::hub
