#include "cloud/hub/twin_channel.hpp"

#include "cloud/error.hpp"

namespace mitral::cloud::hub {
namespace {

constexpr std::string_view answer_filter = "$iothub/twin/res/#";
constexpr std::string_view desired_filter = "$iothub/twin/PATCH/properties/desired/#";
constexpr std::string_view get = "$iothub/twin/GET/?";
constexpr std::string_view report = "$iothub/twin/PATCH/properties/reported/?";
constexpr std::string_view empty_twin = R"({"desired":{"$version":1},"reported":{"$version":1}})";
constexpr std::string_view no_twin =
    R"({"errorCode":501001,"message":"reported properties are not supported"})";

base::Status answer(Endpoint& to, std::string_view request, int status, std::string_view body) {
    constexpr std::size_t max_request = 512;
    if (request.size() > max_request)
        return base::fail(CloudError::too_large, "request id of a twin operation");
    // Without the subscription the answer has nowhere to go, as in IoT Hub.
    if (to.subscribed(answer_filter))
        to.channel().publish(
            "$iothub/twin/res/" + std::to_string(status) + "/?" + std::string(request),
            base::as_bytes(body));
    return {};
}

}  // namespace

bool TwinChannel::owns_filter(const DeviceIdentity&, std::string_view filter) const {
    return filter == answer_filter || filter == desired_filter;
}

bool TwinChannel::owns_topic(std::string_view topic) const {
    return topic.starts_with("$iothub/twin/");
}

base::Status TwinChannel::on_publish(Endpoint& from, const mqtt::Publish& publish) {
    if (publish.topic.starts_with(get))
        return answer(from, publish.topic.substr(get.size()), 200, empty_twin);
    if (publish.topic.starts_with(report))
        return answer(from, publish.topic.substr(report.size()), 501, no_twin);
    return base::fail(CloudError::protocol_violation, "topic is not supported");
}

}  // namespace mitral::cloud::hub
